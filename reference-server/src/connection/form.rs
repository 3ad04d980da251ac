//! A form sent to a bucket becomes a request like any other: its fields are the headers, its file
//! is the body, its key the object.

use http::header::{AUTHORIZATION, HOST, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, Method};
use hyper::body::Incoming;

use super::exchange::{Exchange, check_name_length, path_of};
use crate::auth::{FormProof, headers_not_signed};
use crate::body::form::IncomingForm;
use crate::body::{BodyEnd, multipart};
use crate::clock;
use crate::request::target::{self, Target};
use crate::request::{Query, RequestFacts, Resource, S3Request, Transport, mark_sensitive};
use crate::s3_error::{Code, S3Error};

/// The boundary of the form that the request is; `None` if it is none. What has no signature in its
/// head and no form in its body is refused: that is how Amazon S3 answers it.
///
/// # Errors
/// 412 `PreconditionFailed`; 400 `MalformedPOSTRequest`.
pub(super) fn boundary(parts: &Parts, target: &Target) -> Result<Option<String>, S3Error> {
    let may_be = parts.method == Method::POST
        && matches!(target.resource, Resource::Bucket(_))
        && target.query.is_empty();
    if !may_be {
        return Ok(None);
    }
    let boundary = multipart::boundary(&parts.headers)?;
    if boundary.is_none() && !parts.headers.contains_key(AUTHORIZATION) {
        let condition = "Bucket POST must be of the enclosure-type multipart/form-data";
        return Err(S3Error::new(Code::PreconditionFailed).detail("Condition", condition));
    }
    Ok(boundary)
}

impl Exchange<'_> {
    /// The request that a form makes.
    pub(super) async fn form(
        &self,
        parts: Parts,
        incoming: Incoming,
        boundary: &str,
        target: Target,
        facts: &RequestFacts,
        end: &BodyEnd,
    ) -> Result<S3Request, S3Error> {
        check_head(&parts.headers)?;
        let bucket = target.resource.bucket().unwrap_or_default().to_owned();
        let form = IncomingForm::read(incoming, boundary, self.patience(), end.clone()).await?;
        let authenticator = &self.front.authenticator;
        let mut proof = authenticator.authenticate_form(&form.fields, &bucket, clock::now())?;
        let breach = proof.breach.take();
        let request = self.made_of(parts, form, bucket, facts, proof);
        match (request, breach) {
            // Whatever else is wrong, a form that breaks its policy is told that alone.
            (Err(_), Some(breach)) => Err(breach.error),
            (request, breach) => request.map(|mut request| {
                if let Some(form) = &mut request.form {
                    form.breach = breach;
                }
                request
            }),
        }
    }

    /// The request of a form whose signature was verified.
    fn made_of(
        &self,
        parts: Parts,
        form: IncomingForm,
        bucket: String,
        facts: &RequestFacts,
        proof: FormProof,
    ) -> Result<S3Request, S3Error> {
        let resource = Resource::Object {
            bucket,
            name: target::text(form.fields.required("key")?.as_bytes().to_vec())?,
        };
        if resource.object() == Some("") {
            let message = "User key must have a length greater than 0.";
            let error = S3Error::with_message(Code::InvalidArgument, message);
            return Err(error.argument("key", Some("")));
        }
        check_name_length(&resource)?;
        let mut headers = form.fields.headers()?;
        mark_sensitive(&mut headers);
        let wishes = form.fields.wishes(self.address(&parts))?;
        let body = form.into_body(&headers, proof.length)?;
        Ok(S3Request {
            method: parts.method,
            query: Query::default(),
            headers,
            transport: self.transport,
            authenticated: proof.authenticated,
            body,
            facts: RequestFacts {
                path: path_of(&resource),
                ..facts.clone()
            },
            resource,
            form: Some(wishes),
        })
    }

    /// The URL that the form was sent to.
    fn address(&self, parts: &Parts) -> String {
        let scheme = match self.transport {
            Transport::Tls => "https",
            Transport::Plain | Transport::PlainAllowed => "http",
        };
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let path = parts.uri.path().trim_end_matches('/');
        format!("{scheme}://{}{path}", host.unwrap_or_default())
    }
}

/// Refuses what the head of a form asks for in vain: the policy covers fields, and no header.
fn check_head(headers: &HeaderMap) -> Result<(), S3Error> {
    if headers.contains_key(AUTHORIZATION) {
        let message = "Only one auth mechanism allowed; a form carries its signature in its fields";
        let error = S3Error::with_message(Code::InvalidArgument, message);
        return Err(error.argument("Authorization", None));
    }
    let names = headers.keys().map(http::HeaderName::as_str);
    let unsigned: Vec<_> = names.filter(|name| name.starts_with("x-amz-")).collect();
    if !unsigned.is_empty() {
        return Err(headers_not_signed(&unsigned.join(", ")));
    }
    if headers.contains_key(IF_MATCH) || headers.contains_key(IF_NONE_MATCH) {
        return Err(Code::NotImplemented.into());
    }
    Ok(())
}
