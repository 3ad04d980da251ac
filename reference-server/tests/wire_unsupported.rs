//! Every operation of S3 that is not there is answered with 501, and does nothing.
//!
//! The names are those of botocore's model of S3 (1.43), with the newer ones of November 2025.

mod client;

use client::{Ask, Pair, Served, T1};
use reference_server::ssec::dialect::Dialect;

const TEXT: &[u8] = b"test data..";
const BUCKET: &str = "/bucket";
const OBJECT: &str = "/bucket/object";

/// The operations that are there.
const THERE: [&str; 38] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteBucketCors",
    "DeleteBucketEncryption",
    "DeleteBucketPolicy",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketCors",
    "GetBucketEncryption",
    "GetBucketLocation",
    "GetBucketPolicy",
    "GetBucketVersioning",
    "GetObject",
    "GetObjectAttributes",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "OptionsObject",
    "PostObject",
    "PutBucketCors",
    "PutBucketEncryption",
    "PutBucketPolicy",
    "PutBucketVersioning",
    "PutObject",
    "PutObjectTagging",
    "UploadPart",
    "UploadPartCopy",
];

/// What is asked about a bucket with one parameter: the parameter, and the name of the operation
/// for each method that it has.
const OF_BUCKETS: [(&str, &[(&str, &str)]); 20] = [
    (
        "abac",
        &[("GET", "GetBucketAbac"), ("PUT", "PutBucketAbac")],
    ),
    (
        "accelerate",
        &[
            ("GET", "GetBucketAccelerateConfiguration"),
            ("PUT", "PutBucketAccelerateConfiguration"),
        ],
    ),
    ("acl", &[("GET", "GetBucketAcl"), ("PUT", "PutBucketAcl")]),
    (
        "analytics",
        &[
            ("GET", "ListBucketAnalyticsConfigurations"),
            ("PUT", "PutBucketAnalyticsConfiguration"),
            ("DELETE", "DeleteBucketAnalyticsConfiguration"),
        ],
    ),
    (
        "intelligent-tiering",
        &[
            ("GET", "ListBucketIntelligentTieringConfigurations"),
            ("PUT", "PutBucketIntelligentTieringConfiguration"),
            ("DELETE", "DeleteBucketIntelligentTieringConfiguration"),
        ],
    ),
    (
        "inventory",
        &[
            ("GET", "ListBucketInventoryConfigurations"),
            ("PUT", "PutBucketInventoryConfiguration"),
            ("DELETE", "DeleteBucketInventoryConfiguration"),
        ],
    ),
    (
        "lifecycle",
        &[
            ("GET", "GetBucketLifecycleConfiguration"),
            ("PUT", "PutBucketLifecycleConfiguration"),
            ("DELETE", "DeleteBucketLifecycle"),
        ],
    ),
    (
        "logging",
        &[("GET", "GetBucketLogging"), ("PUT", "PutBucketLogging")],
    ),
    (
        "metadataConfiguration",
        &[
            ("GET", "GetBucketMetadataConfiguration"),
            ("POST", "CreateBucketMetadataConfiguration"),
            ("DELETE", "DeleteBucketMetadataConfiguration"),
        ],
    ),
    (
        "metadataInventoryTable",
        &[("PUT", "UpdateBucketMetadataInventoryTableConfiguration")],
    ),
    (
        "metadataJournalTable",
        &[("PUT", "UpdateBucketMetadataJournalTableConfiguration")],
    ),
    (
        "metadataTable",
        &[
            ("GET", "GetBucketMetadataTableConfiguration"),
            ("POST", "CreateBucketMetadataTableConfiguration"),
            ("DELETE", "DeleteBucketMetadataTableConfiguration"),
        ],
    ),
    (
        "metrics",
        &[
            ("GET", "ListBucketMetricsConfigurations"),
            ("PUT", "PutBucketMetricsConfiguration"),
            ("DELETE", "DeleteBucketMetricsConfiguration"),
        ],
    ),
    (
        "notification",
        &[
            ("GET", "GetBucketNotificationConfiguration"),
            ("PUT", "PutBucketNotificationConfiguration"),
        ],
    ),
    (
        "object-lock",
        &[
            ("GET", "GetObjectLockConfiguration"),
            ("PUT", "PutObjectLockConfiguration"),
        ],
    ),
    (
        "ownershipControls",
        &[
            ("GET", "GetBucketOwnershipControls"),
            ("PUT", "PutBucketOwnershipControls"),
            ("DELETE", "DeleteBucketOwnershipControls"),
        ],
    ),
    (
        "publicAccessBlock",
        &[
            ("GET", "GetPublicAccessBlock"),
            ("PUT", "PutPublicAccessBlock"),
            ("DELETE", "DeletePublicAccessBlock"),
        ],
    ),
    (
        "replication",
        &[
            ("GET", "GetBucketReplication"),
            ("PUT", "PutBucketReplication"),
            ("DELETE", "DeleteBucketReplication"),
        ],
    ),
    (
        "requestPayment",
        &[
            ("GET", "GetBucketRequestPayment"),
            ("PUT", "PutBucketRequestPayment"),
        ],
    ),
    (
        "tagging",
        &[
            ("GET", "GetBucketTagging"),
            ("PUT", "PutBucketTagging"),
            ("DELETE", "DeleteBucketTagging"),
        ],
    ),
];

/// All other requests: the operation, its method, path and query.
const OTHERS: [(&str, &str, &str, &[Pair<'static>]); 22] = [
    ("CreateSession", "GET", BUCKET, &[("session", "")]),
    (
        "GetBucketPolicyStatus",
        "GET",
        BUCKET,
        &[("policyStatus", "")],
    ),
    ("GetBucketWebsite", "GET", BUCKET, &[("website", "")]),
    ("PutBucketWebsite", "PUT", BUCKET, &[("website", "")]),
    ("DeleteBucketWebsite", "DELETE", BUCKET, &[("website", "")]),
    (
        "GetBucketAnalyticsConfiguration",
        "GET",
        BUCKET,
        &[("analytics", ""), ("id", "1")],
    ),
    (
        "GetBucketIntelligentTieringConfiguration",
        "GET",
        BUCKET,
        &[("intelligent-tiering", ""), ("id", "1")],
    ),
    (
        "GetBucketInventoryConfiguration",
        "GET",
        BUCKET,
        &[("inventory", ""), ("id", "1")],
    ),
    (
        "GetBucketMetricsConfiguration",
        "GET",
        BUCKET,
        &[("metrics", ""), ("id", "1")],
    ),
    ("GetObjectAcl", "GET", OBJECT, &[("acl", "")]),
    ("PutObjectAcl", "PUT", OBJECT, &[("acl", "")]),
    ("GetObjectLegalHold", "GET", OBJECT, &[("legal-hold", "")]),
    ("PutObjectLegalHold", "PUT", OBJECT, &[("legal-hold", "")]),
    ("GetObjectRetention", "GET", OBJECT, &[("retention", "")]),
    ("PutObjectRetention", "PUT", OBJECT, &[("retention", "")]),
    ("GetObjectTorrent", "GET", OBJECT, &[("torrent", "")]),
    (
        "ListDirectoryBuckets",
        "GET",
        "/",
        &[("max-directory-buckets", "5")],
    ),
    ("RenameObject", "PUT", OBJECT, &[("renameObject", "")]),
    ("RestoreObject", "POST", OBJECT, &[("restore", "")]),
    (
        "SelectObjectContent",
        "POST",
        OBJECT,
        &[("select", ""), ("select-type", "2")],
    ),
    (
        "UpdateObjectEncryption",
        "PUT",
        OBJECT,
        &[("encryption", "")],
    ),
    (
        "WriteGetObjectResponse",
        "POST",
        "/WriteGetObjectResponse",
        &[],
    ),
];

/// What each operation that is not there is asked with.
fn not_there() -> Vec<(&'static str, Ask<'static>)> {
    let mut asks = Vec::new();
    for (parameter, methods) in &OF_BUCKETS {
        for (method, name) in *methods {
            asks.push((*name, Ask::new(method, BUCKET).query(&[(parameter, "")])));
        }
    }
    for (name, method, path, query) in &OTHERS {
        asks.push((*name, Ask::new(method, path).query(query)));
    }
    asks
}

#[test]
fn each_operation_is_listed_once() {
    let mut names: Vec<_> = not_there().iter().map(|(name, _)| *name).collect();
    names.extend(THERE);
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name stands twice");
}

#[tokio::test]
async fn what_is_not_there_says_so_and_does_nothing() {
    for dialect in Dialect::ALL {
        let served = Served::start(dialect).await;
        let put = Ask::new("PUT", OBJECT).with(&T1).body(TEXT);
        let etag = served
            .send(&put)
            .await
            .is(200)
            .header("etag")
            .map(str::to_owned);
        for (name, ask) in not_there() {
            let body: &[u8] = if matches!(ask.method, "PUT" | "POST") {
                b"<Any/>"
            } else {
                b""
            };
            // With a key and without: the headers of SSE-C change nothing.
            for ask in [ask.clone().body(body), ask.body(body).with(&T1)] {
                let reply = served.send(&ask).await;
                assert_eq!(reply.status, 501, "{name}: {}", reply.text());
                assert_eq!(
                    reply.element("Code").as_deref(),
                    Some("NotImplemented"),
                    "{name}"
                );
            }
        }
        let read = served.send(&Ask::new("GET", OBJECT).with(&T1)).await;
        assert_eq!(read.is(200).body, TEXT);
        assert_eq!(read.header("etag").map(str::to_owned), etag);
        let keys = Ask::new("GET", BUCKET).query(&[("list-type", "2")]);
        let listed = served.send(&keys).await;
        assert_eq!(listed.is(200).element("KeyCount").as_deref(), Some("1"));
        let buckets = served.send(&Ask::new("GET", "/")).await;
        assert_eq!(buckets.is(200).text().matches("<Bucket>").count(), 1);
    }
}
