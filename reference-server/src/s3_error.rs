//! S3 errors: the closed list of codes, and the XML answer made of one.
//!
//! It knows how S3 spells an error and which status belongs to a code. It does not know when an
//! error is due: that is decided by authentication, policy and operations.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::request::RequestFacts;
use crate::response::ResponseBody;
use crate::xml::XmlWriter;

macro_rules! codes {
    ($($(#[$note:meta])* $name:ident $status:literal $message:literal;)*) => {
        /// Every error code that this server answers with.
        ///
        /// Names and statuses are those of the S3 API reference, "List of error codes".
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$note])* $name,)*
        }

        impl Code {
            /// All codes, for tests and documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The text of the `<Code>` element.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The HTTP status that carries the code.
            pub fn status(self) -> StatusCode {
                let number: u16 = match self {
                    $(Self::$name => $status,)*
                };
                StatusCode::from_u16(number).expect("the table holds three-digit statuses")
            }

            /// The `<Message>` used where the caller has nothing more exact to say.
            pub fn default_message(self) -> &'static str {
                match self {
                    $(Self::$name => $message,)*
                }
            }
        }
    };
}

codes! {
    AccessDenied 403 "Access Denied";
    AccessForbidden 403
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";
    AuthorizationHeaderMalformed 400 "The authorization header that you provided is not valid.";
    AuthorizationQueryParametersError 400
        "The authorization query parameters that you provided are not valid.";
    BadDigest 400
        "The Content-MD5 or checksum value that you specified did not match what the server received.";
    BadRequest 400 "Bad Request";
    BucketAlreadyExists 409
        "The requested bucket name is not available. Please select a different name and try again.";
    BucketAlreadyOwnedByYou 409
        "Your previous request to create the named bucket succeeded and you already own it.";
    BucketNotEmpty 409 "The bucket that you tried to delete is not empty.";
    ConditionalRequestConflict 409
        "A conflicting conditional operation is currently in progress against this resource.";
    EntityTooLarge 400 "Your proposed upload exceeds the maximum allowed object size.";
    EntityTooSmall 400
        "Your proposed upload is smaller than the minimum allowed object size.";
    IllegalVersionIdException 400 "The version ID specified in the request is not valid.";
    IncompleteBody 400
        "You did not provide the number of bytes specified by the Content-Length HTTP header.";
    InsufficientStorage 507 "There is no space left to store the data.";
    InternalError 500 "We encountered an internal error. Please try again.";
    InvalidAccessKeyId 403
        "The AWS Access Key Id you provided does not exist in our records.";
    InvalidArgument 400 "Invalid Argument";
    InvalidBucketName 400 "The specified bucket is not valid.";
    InvalidChunkSizeError 403
        "Only the last chunk is allowed to have a size less than 8192 bytes";
    InvalidDigest 400 "The Content-MD5 you specified was invalid.";
    InvalidEncryptionAlgorithmError 400
        "The Encryption request you specified is not valid. Supported value: AES256.";
    InvalidLocationConstraint 400 "The specified location-constraint is not valid";
    InvalidPart 400 "One or more of the specified parts could not be found.";
    InvalidPartNumber 416 "The requested partnumber is not satisfiable";
    InvalidPartOrder 400
        "The list of parts was not in ascending order. Parts must be ordered by part number.";
    InvalidPolicyDocument 400
        "The content of the form does not meet the conditions specified in the policy document.";
    InvalidRange 416 "The requested range is not satisfiable";
    InvalidRequest 400 "Invalid Request";
    InvalidTag 400 "The tag provided was not a valid tag.";
    InvalidToken 400 "The provided token is malformed or otherwise invalid.";
    InvalidURI 400 "Couldn't parse the specified URI.";
    KeyTooLongError 400 "Your key is too long";
    MalformedPOSTRequest 400
        "The body of your POST request is not well-formed multipart/form-data.";
    MalformedPolicy 400 "This policy contains invalid Json";
    MalformedTrailerError 400
        "The request contained trailing data that was not well-formed or did not conform to our published schema.";
    MalformedXML 400
        "The XML you provided was not well-formed or did not validate against our published schema";
    MaxMessageLengthExceeded 400 "Your request was too big.";
    MaxPostPreDataLengthExceededError 400
        "Your POST request fields preceding the upload file were too large.";
    MetadataTooLarge 400
        "Your metadata headers exceed the maximum allowed metadata size";
    MethodNotAllowed 405 "The specified method is not allowed against this resource.";
    MissingContentLength 411 "You must provide the Content-Length HTTP header.";
    MissingRequestBodyError 400 "Request Body is empty";
    NoSuchBucket 404 "The specified bucket does not exist";
    NoSuchBucketPolicy 404 "The bucket policy does not exist";
    NoSuchCORSConfiguration 404 "The CORS configuration does not exist";
    NoSuchKey 404 "The specified key does not exist.";
    NoSuchTagSet 404 "The TagSet does not exist";
    NoSuchUpload 404
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    NoSuchVersion 404 "The specified version does not exist.";
    NotImplemented 501
        "A header or operation that you provided implies functionality that is not implemented.";
    OperationAborted 409
        "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    PreconditionFailed 412
        "At least one of the pre-conditions you specified did not hold";
    RequestHeaderSectionTooLarge 400
        "Your request header section exceeds the maximum allowed size.";
    RequestTimeout 400
        "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.";
    RequestTimeTooSkewed 403
        "The difference between the request time and the current time is too large.";
    ServerSideEncryptionConfigurationNotFoundError 404
        "The server side encryption configuration was not found";
    ServiceUnavailable 503 "Service is unable to handle request.";
    SignatureDoesNotMatch 403
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    SlowDown 503 "Please reduce your request rate.";
    TooManyBuckets 400 "You have attempted to create more buckets than allowed";
    XAmzContentSHA256Mismatch 400
        "The provided 'x-amz-content-sha256' header does not match what was computed.";
}

/// One error, ready to be answered: a code, what to say, and the elements that belong to it.
///
/// Nothing in it may hold a customer key, a signature, a canonical request or a string to sign:
/// the whole of it goes to the client.
#[derive(Debug, Clone)]
pub struct S3Error {
    code: Code,
    message: Cow<'static, str>,
    details: Vec<(&'static str, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl S3Error {
    /// The error with the code's own message.
    pub fn new(code: Code) -> Self {
        Self::with_message(code, code.default_message())
    }

    /// The error with a message of its own.
    pub fn with_message(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds `<ArgumentName>` and, where there is one, `<ArgumentValue>`.
    #[must_use]
    pub fn argument(self, name: &str, value: Option<&str>) -> Self {
        let named = self.detail("ArgumentName", name);
        match value {
            Some(value) => named.detail("ArgumentValue", value),
            None => named,
        }
    }

    /// Adds one more element, as `<HeadersNotSigned>` or `<Region>`. The value is escaped.
    #[must_use]
    pub fn detail(mut self, element: &'static str, value: impl Into<String>) -> Self {
        self.details.push((element, value.into()));
        self
    }

    /// Adds a header to the answer, as `Content-Range` to InvalidRange.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What kind of error it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What `<Message>` will say.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The added elements, in order.
    pub fn details(&self) -> &[(&'static str, String)] {
        &self.details
    }

    /// The answer to the request that `facts` describes. An answer to HEAD has no body.
    pub fn into_response(self, facts: &RequestFacts) -> Response<ResponseBody> {
        let body = if facts.method == http::Method::HEAD {
            ResponseBody::empty()
        } else {
            ResponseBody::full(self.document(facts))
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.code.status();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }

    fn document(&self, facts: &RequestFacts) -> Bytes {
        let mut xml = XmlWriter::document();
        xml.open("Error");
        xml.text("Code", self.code.as_str());
        xml.text("Message", &self.message);
        for (element, value) in &self.details {
            xml.text(element, value);
        }
        xml.text("Resource", &facts.path);
        xml.text("RequestId", facts.request_id.as_str());
        xml.text("HostId", facts.request_id.host_id());
        xml.close("Error");
        xml.finish()
    }
}

impl From<Code> for S3Error {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl std::fmt::Display for S3Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for S3Error {}
