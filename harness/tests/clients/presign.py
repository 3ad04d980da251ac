"""Prints a presigned URL (SigV4) for one operation on one object.

usage: presign.py OPERATION BUCKET OBJECT_NAME [all|algorithm|none]

The last word says which SSE-C headers the signature covers. The customer key is read as base64
from CUSTOMER_KEY, the endpoint and the credentials come from the AWS environment variables.
"""

import base64
import os
import sys

import boto3
from botocore.config import Config

operation, bucket, name = sys.argv[1:4]
covered = sys.argv[4] if len(sys.argv) > 4 else "all"

# Without "s3v4" boto3 signs with SigV2 for a custom endpoint, and the key ends up in the URL.
config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"], config=config)

parameters = {"Bucket": bucket, "Key": name}
if covered in ("all", "algorithm"):
    parameters["SSECustomerAlgorithm"] = "AES256"
if covered == "all":
    parameters["SSECustomerKey"] = base64.b64decode(os.environ["CUSTOMER_KEY"])

print(client.generate_presigned_url(operation, Params=parameters, ExpiresIn=300))
