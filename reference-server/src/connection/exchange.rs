//! One request, one answer: reads the target, verifies the signature, hands on to the operations,
//! and puts on every answer what every answer has.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{CONNECTION, DATE, HeaderValue, SERVER};
use http::request::Parts;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use tokio::time::Instant;

use super::access_log::{self, AccessLog, Entry};
use super::form;
use super::guarded_io::{Phase, RunningExchange};
use super::health;
use super::limits::Limits;
use crate::auth::{Authenticator, Proof, RequestHead, belongs_to_signature};
use crate::body::{BodyEnd, IncomingBody, Patience};
use crate::request::cross_origin::CrossOrigin;
use crate::request::target::{MAX_OBJECT_NAME_BYTES, Target};
use crate::request::{
    Query, RequestFacts, RequestId, Resource, S3Request, Transport, mark_sensitive,
};
use crate::response::{Guarded, ResponseBody};
use crate::s3_error::{Code, S3Error};
use crate::server::Handler;
use crate::{clock, random};

/// What all connections share.
pub(crate) struct Front {
    pub(crate) authenticator: Authenticator,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) virtual_host_domains: Vec<String>,
    pub(crate) access_log: Option<AccessLog>,
}

/// What one connection remembers of its requests.
#[derive(Default)]
pub(super) struct ConnectionState {
    pub(super) phase: Arc<Phase>,
    /// The client's address, if the system knew it.
    peer: Option<SocketAddr>,
    left_a_body: AtomicBool,
}

impl ConnectionState {
    pub(super) fn of(peer: Option<SocketAddr>) -> Self {
        Self {
            peer,
            ..Self::default()
        }
    }

    /// Whether a request was answered before its body was read to the end.
    pub(super) fn left_a_body(&self) -> bool {
        self.left_a_body.load(Ordering::Acquire)
    }
}

/// While an answer's body lasts, its request counts as running.
type GuardedBody = Guarded<RunningExchange>;
type AnswerFuture = Pin<Box<dyn Future<Output = Result<Response<GuardedBody>, Infallible>> + Send>>;

/// The service of one connection.
pub(super) fn service(
    front: Arc<Front>,
    transport: Transport,
    limits: Limits,
    state: Arc<ConnectionState>,
) -> impl Service<
    Request<Incoming>,
    Response = Response<GuardedBody>,
    Error = Infallible,
    Future = AnswerFuture,
> + Unpin {
    service_fn(move |request| {
        let front = Arc::clone(&front);
        let state = Arc::clone(&state);
        let running = state.phase.begin();
        let answering: AnswerFuture = Box::pin(async move {
            let exchange = Exchange {
                front: &front,
                peer: state.peer,
                transport,
                limits,
            };
            let (response, end) = exchange.answer(request).await;
            let mut response = response.map(|body| Guarded::new(body, running));
            if !end.is_reached() {
                state.left_a_body.store(true, Ordering::Release);
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        });
        answering
    })
}

pub(super) struct Exchange<'a> {
    pub(super) front: &'a Front,
    peer: Option<SocketAddr>,
    pub(super) transport: Transport,
    pub(super) limits: Limits,
}

impl Exchange<'_> {
    async fn answer(&self, request: Request<Incoming>) -> (Response<ResponseBody>, BodyEnd) {
        let (mut parts, incoming) = request.into_parts();
        mark_sensitive(&mut parts.headers);
        let begun = Instant::now();
        let log = self.front.access_log.as_ref();
        let log = log.map(|log| (log, access_log::shown(&parts.uri)));
        let end = BodyEnd::of(&incoming);
        let mut facts = RequestFacts {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            request_id: RequestId::from_bytes(&random::bytes()),
        };
        let page = CrossOrigin::of(&parts.method, &parts.headers);
        let (resource, outcome) = self.prepare(parts, incoming, &mut facts, &end).await;
        let asked = resource.as_ref();
        if asked.is_some_and(|resource| health::is_asked(&facts.method, resource)) {
            let mut response = health::answer();
            put_common_headers(&mut response, &facts.request_id);
            return (response, end);
        }
        // A form tells its object with its fields.
        let resource = match &outcome {
            Ok(request) => Some(request.resource.clone()),
            Err(_) => resource,
        };
        let mut response = match outcome {
            Ok(request) => self.front.handler.handle(request).await,
            Err(error) => error.into_response(&facts),
        };
        let bucket = resource.as_ref().and_then(Resource::bucket);
        if let Some((bucket, page)) = bucket.zip(page)
            && page.method != Method::OPTIONS
        {
            let allowed = self.front.handler.cross_origin(bucket, &page).await;
            response.headers_mut().extend(allowed);
        }
        tracing::info!(
            target: "ssec::access",
            method = %facts.method,
            bucket,
            object = resource.as_ref().and_then(Resource::object),
            status = response.status().as_u16(),
            request_id = facts.request_id.as_str(),
        );
        if let Some((log, target)) = &log {
            log.write(&Entry {
                time: clock::now(),
                peer: self.peer,
                method: &facts.method,
                target,
                status: response.status().as_u16(),
                elapsed: begun.elapsed(),
                request_id: facts.request_id.as_str(),
            });
        }
        put_common_headers(&mut response, &facts.request_id);
        (response, end)
    }

    /// How long a body is waited for.
    pub(super) fn patience(&self) -> Patience {
        Patience {
            stall: self.limits.body_stall_timeout,
            grace: self.limits.rate_grace,
            bytes_per_second: self.limits.min_rate,
        }
    }

    /// Everything before the operation. The resource is given also when the request is refused.
    async fn prepare(
        &self,
        parts: Parts,
        incoming: Incoming,
        facts: &mut RequestFacts,
        end: &BodyEnd,
    ) -> (Option<Resource>, Result<S3Request, S3Error>) {
        let domains = &self.front.virtual_host_domains;
        let target = match Target::read(&parts.uri, &parts.headers, domains) {
            Ok(target) => target,
            Err(error) => return (None, Err(error)),
        };
        facts.path = path_of(&target.resource);
        let resource = target.resource.clone();
        (
            Some(resource),
            self.authenticated(parts, incoming, target, facts, end)
                .await,
        )
    }

    async fn authenticated(
        &self,
        parts: Parts,
        incoming: Incoming,
        target: Target,
        facts: &RequestFacts,
        end: &BodyEnd,
    ) -> Result<S3Request, S3Error> {
        if let Some(boundary) = form::boundary(&parts, &target)? {
            return self
                .form(parts, incoming, &boundary, target, facts, end)
                .await;
        }
        let head = RequestHead {
            method: &parts.method,
            path: &target.path,
            query: &target.query,
            headers: &parts.headers,
        };
        let is_preflight = parts.method == Method::OPTIONS && target.resource.bucket().is_some();
        let proof = if is_preflight {
            Proof::of_preflight()
        } else {
            self.front.authenticator.authenticate(&head, clock::now())?
        };
        check_name_length(&target.resource)?;
        let body = IncomingBody::new(
            incoming,
            &parts.headers,
            proof.payload,
            self.patience(),
            end.clone(),
        )?;
        let pairs = target
            .query
            .into_iter()
            .filter(|(name, _)| !belongs_to_signature(name));
        Ok(S3Request {
            method: parts.method,
            resource: target.resource,
            query: Query::from_pairs(pairs.collect()),
            headers: parts.headers,
            transport: self.transport,
            authenticated: proof.authenticated,
            body,
            facts: facts.clone(),
            form: None,
        })
    }
}

/// Refuses an object name that is too long.
pub(super) fn check_name_length(resource: &Resource) -> Result<(), S3Error> {
    let name = resource.object().unwrap_or_default();
    if name.len() <= MAX_OBJECT_NAME_BYTES {
        return Ok(());
    }
    Err(S3Error::new(Code::KeyTooLongError)
        .detail("MaxSizeAllowed", MAX_OBJECT_NAME_BYTES.to_string()))
}

/// The path as error documents show it: path style, whatever the client used.
pub(super) fn path_of(resource: &Resource) -> String {
    match resource {
        Resource::Service => "/".to_owned(),
        Resource::Bucket(bucket) => format!("/{bucket}"),
        Resource::Object { bucket, name } => format!("/{bucket}/{name}"),
    }
}

fn put_common_headers(response: &mut Response<ResponseBody>, id: &RequestId) {
    let headers = response.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).expect("ids and dates are ASCII");
    headers.insert("x-amz-request-id", value(id.as_str()));
    headers.insert("x-amz-id-2", value(id.host_id()));
    headers.insert(SERVER, HeaderValue::from_static("ssec"));
    headers.insert(DATE, value(&httpdate::fmt_http_date(clock::now())));
}
