//! Where a case is played: what stands before the request, the request itself, and the judgement.

use reference_server::config::{CertificateSource, Listeners};
use reference_server::ssec::dialect::Dialect;

use super::client::form::Form;
use super::client::upload::{self, etag};
use super::client::{Ask, MD5, Pair, Reply, Served};
use super::table::{Answer, Case, Given, Refused, Request, Row, Sent, TEXT};
use super::words::{ETAG_OF_TEXT, K1, K2};

/// A server, and the dialect that it speaks.
pub struct Ground {
    served: Served,
    dialect: Dialect,
}

/// What the texts of a case are filled with.
#[derive(Default)]
struct Facts {
    bucket: String,
    upload: String,
    version: String,
    etag: String,
    tag: String,
}

impl Facts {
    fn fill(&self, text: &str) -> String {
        text.replace("{bucket}", &self.bucket)
            .replace("{upload}", &self.upload)
            .replace("{version}", &self.version)
            .replace("{etag}", &self.etag)
            .replace("{bare}", self.etag.trim_matches('"'))
            .replace("{tag}", &self.tag)
    }

    fn pairs(&self, pairs: &[Pair<'static>]) -> Vec<(String, String)> {
        let filled = pairs.iter().map(|(name, value)| (*name, self.fill(value)));
        filled
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn object(&self) -> String {
        format!("/{}/o", self.bucket)
    }
}

impl Ground {
    pub async fn new(dialect: Dialect) -> Self {
        Self::with(dialect, None).await
    }

    /// A server that tells a lie.
    pub async fn lying(impostor: &str) -> Self {
        Self::with(Dialect::Aws, Some(impostor)).await
    }

    async fn with(dialect: Dialect, impostor: Option<&str>) -> Self {
        let served = Served::start_with(dialect, |config| {
            config.impostor = impostor.map(str::to_owned);
            config.listeners = Listeners::Tls {
                certificate: CertificateSource::LocalAuthority { names: Vec::new() },
                also_http: Some("127.0.0.1:0".parse().unwrap()),
            };
        })
        .await;
        Self { served, dialect }
    }

    /// Plays the cases of a row; what went wrong, if anything did.
    pub async fn play(&self, row: &Row) -> Vec<String> {
        let mut wrong = Vec::new();
        for (number, case) in row.cases.iter().enumerate() {
            let bucket = format!("{}-{number}", row.id.to_ascii_lowercase());
            if let Err(what) = self.play_case(bucket, case).await {
                wrong.push(format!("{} {} case {number}: {what}", self.dialect, row.id));
            }
        }
        wrong
    }

    async fn play_case(&self, bucket: String, case: &Case) -> Result<(), String> {
        let facts = self.prepare(bucket, case.given).await;
        let before = self.kept(&facts).await;
        let reply = self.send(&case.ask, &facts).await;
        let answer = match self.dialect {
            Dialect::Aws => case.aws,
            Dialect::Ovh => case.ovh,
        };
        let said = || format!("{} {:?} {}", reply.status, reply.headers, reply.text());
        match answer {
            Answer::Refused(refused) => {
                refuses(&refused, case.ask.method, &reply)
                    .map_err(|what| format!("{what}; the answer was {}", said()))?;
                if self.kept(&facts).await != before {
                    return Err("it was refused and changed something".to_owned());
                }
            }
            Answer::Served { reads, .. } => {
                serves(&answer, &facts, &reply)
                    .and_then(|()| self.is_opaque(&reply))
                    .map_err(|what| format!("{what}; the answer was {}", said()))?;
                for (headers, status) in reads {
                    let path = facts.object();
                    let read = self
                        .served
                        .send(&Ask::new("GET", &path).with(headers))
                        .await;
                    if read.status != *status {
                        let shown: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
                        return Err(format!(
                            "a read with {shown:?} says {}, not {status}",
                            read.status
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// All that the bucket has, as lists show it.
    async fn kept(&self, facts: &Facts) -> Vec<String> {
        let bucket = format!("/{}", facts.bucket);
        let mut lists = Vec::new();
        for query in ["versions", "uploads"] {
            let list = Ask::new("GET", &bucket).query(&[(query, "")]);
            lists.push(self.served.send(&list).await);
        }
        if !facts.upload.is_empty() {
            let path = facts.object();
            let parts = Ask::new("GET", &path).query(&[("uploadId", facts.upload.as_str())]);
            lists.push(self.served.send(&parts).await);
        }
        let read = |reply: Reply| {
            let text = reply.text();
            // Each answer has an id of its own.
            let lines = text.split("<RequestId>").next().unwrap_or_default();
            format!("{} {lines}", reply.status)
        };
        lists.into_iter().map(read).collect()
    }

    /// Under a customer key the `ETag` tells nothing about the bytes (dialect `aws`, 3.1).
    fn is_opaque(&self, reply: &Reply) -> Result<(), String> {
        let sealed = self.dialect == Dialect::Aws && reply.header(MD5).is_some();
        let Some(etag) = reply.header("etag").filter(|_| sealed) else {
            return Ok(());
        };
        let bare = etag.trim_matches('"');
        let (digest, _) = bare.split_once('-').unwrap_or((bare, ""));
        let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() == 32 && digest.bytes().all(lower) && etag != ETAG_OF_TEXT {
            Ok(())
        } else {
            Err(format!("the ETag is {etag}"))
        }
    }

    async fn send(&self, request: &Request, facts: &Facts) -> Reply {
        let (path, body) = (facts.fill(request.path), facts.fill(request.body));
        let (query, headers) = (facts.pairs(request.query), facts.pairs(request.headers));
        let ask = Ask::new(request.method, &path)
            .query(&borrowed(&query))
            .with(&borrowed(&headers))
            .body(body.as_bytes());
        let served = &self.served;
        match request.sent {
            Sent::Signed => served.send(&ask).await,
            Sent::Covering(names) => served.send(&ask.cover(names)).await,
            Sent::Presigned(names) => {
                let names: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                served.send(&ask.presigned().cover(&names)).await
            }
            Sent::Without(names) => {
                let kept =
                    |name: &str, _: &str| !names.iter().any(|n| n.eq_ignore_ascii_case(name));
                let bytes = edited(&served.signed(&ask.presigned()), |name, value| {
                    kept(name, value).then(|| value.to_owned())
                });
                served.send_bytes(&bytes).await
            }
            Sent::Changed(changed, other) => {
                let bytes = edited(&served.signed(&ask.presigned()), |name, value| {
                    let value = if name.eq_ignore_ascii_case(changed) {
                        other
                    } else {
                        value
                    };
                    Some(value.to_owned())
                });
                served.send_bytes(&bytes).await
            }
            Sent::Form(fields, uncovered) => {
                let mut form = Form::new("o", TEXT.as_bytes()).with(fields);
                form.target = &path;
                form.headers = borrowed(&headers);
                form.uncovered = uncovered.to_vec();
                served.post(&form).await
            }
            Sent::Plain => served.send_plain(&ask).await,
            Sent::PlainUrl => served.send_plain(&ask.presigned()).await,
        }
    }

    async fn prepare(&self, bucket: String, given: Given) -> Facts {
        let path = format!("/{bucket}");
        self.served.send(&Ask::new("PUT", &path)).await.is(200);
        let mut facts = Facts {
            bucket,
            ..Facts::default()
        };
        match given {
            Given::Nothing => {}
            Given::Object(headers, body) => {
                facts.etag = self.put(&facts.object(), headers, body).await;
            }
            Given::Source(headers) => {
                facts.etag = self.put(&format!("{path}/source"), headers, TEXT).await;
            }
            Given::Blocked => self.block(&path).await,
            Given::BlockedWith(headers) => {
                facts.etag = self.put(&facts.object(), headers, TEXT).await;
                self.block(&path).await;
            }
            Given::Versions(older, newer) => {
                self.keep_versions(&path).await;
                facts.version = self.version(&facts.object(), older).await;
                self.version(&facts.object(), newer).await;
            }
            Given::Marked(headers) => {
                self.keep_versions(&path).await;
                self.version(&facts.object(), headers).await;
                let object = facts.object();
                let marked = self.served.send(&Ask::new("DELETE", &object)).await;
                facts.version = marked
                    .is(204)
                    .header("x-amz-version-id")
                    .unwrap()
                    .to_owned();
            }
            Given::Upload(headers) => {
                facts.upload = upload::create(&self.served, &facts.object(), headers).await;
            }
            Given::Part(headers, of_part) => {
                facts.upload = upload::create(&self.served, &facts.object(), headers).await;
                facts.tag = etag(&self.part(&facts, 1, of_part, TEXT.as_bytes()).await);
            }
            Given::Demanding => self.demand(&facts.bucket).await,
            Given::PartThenDemanding(headers, of_part) => {
                facts.upload = upload::create(&self.served, &facts.object(), headers).await;
                facts.tag = etag(&self.part(&facts, 1, of_part, TEXT.as_bytes()).await);
                self.demand(&facts.bucket).await;
            }
            Given::SourceAndUpload(source, headers) => {
                self.put(&format!("{path}/source"), source, TEXT).await;
                facts.upload = upload::create(&self.served, &facts.object(), headers).await;
            }
            Given::Completed(headers, of_part) => {
                facts.upload = upload::create(&self.served, &facts.object(), headers).await;
                self.complete(&mut facts, of_part, &[TEXT.as_bytes()]).await;
            }
            Given::TwoParts(headers) => {
                facts.upload = upload::create(&self.served, &facts.object(), headers).await;
                let first = vec![b'a'; 5 << 20];
                let bodies = [first.as_slice(), TEXT.as_bytes()];
                self.complete(&mut facts, headers, &bodies).await;
            }
        }
        facts
    }

    async fn put(&self, path: &str, headers: &[Pair<'_>], body: &str) -> String {
        let ask = Ask::new("PUT", path).with(headers).body(body.as_bytes());
        let stored = self.served.send(&ask).await;
        stored.is(200).header("etag").unwrap().to_owned()
    }

    async fn version(&self, path: &str, headers: &[Pair<'_>]) -> String {
        let ask = Ask::new("PUT", path).with(headers).body(TEXT.as_bytes());
        let stored = self.served.send(&ask).await;
        stored
            .is(200)
            .header("x-amz-version-id")
            .unwrap()
            .to_owned()
    }

    async fn part(&self, facts: &Facts, number: u16, headers: &[Pair<'_>], body: &[u8]) -> Reply {
        let (path, number) = (facts.object(), number.to_string());
        let ask = upload::part(&path, (&facts.upload, &number), headers, body);
        self.served.send(&ask).await
    }

    /// Sends the parts and completes the upload, with the checksums that the parts' answers show.
    async fn complete(&self, facts: &mut Facts, headers: &[Pair<'_>], bodies: &[&[u8]]) {
        let mut list = String::new();
        for (number, body) in (1..).zip(bodies) {
            let part = self.part(facts, number, headers, body).await;
            let sum = part
                .header("x-amz-checksum-crc32")
                .map_or_else(String::new, |sum| {
                    format!("<ChecksumCRC32>{sum}</ChecksumCRC32>")
                });
            let tag = etag(&part);
            list +=
                &format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag>{sum}</Part>");
        }
        let list = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
        let path = facts.object();
        let ask = upload::complete(&path, &facts.upload, &list, headers);
        let completed = self.served.send(&ask).await;
        facts.etag = completed
            .is(200)
            .element("ETag")
            .unwrap()
            .replace("&quot;", "\"");
        facts.upload.clear();
    }

    async fn block(&self, bucket: &str) {
        self.configure(
            (bucket, "encryption"),
            "<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes>\
             <EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule>\
             </ServerSideEncryptionConfiguration>",
        )
        .await;
    }

    async fn keep_versions(&self, bucket: &str) {
        self.configure(
            (bucket, "versioning"),
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        )
        .await;
    }

    /// Demands SSE-C by the bucket's policy.
    async fn demand(&self, bucket: &str) {
        let deny = |condition: &str| {
            format!(
                "{{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:PutObject\",\
                 \"Resource\":\"arn:aws:s3:::{bucket}/*\",\"Condition\":{{{condition}}}}}"
            )
        };
        let key = "\"s3:x-amz-server-side-encryption-customer-algorithm\"";
        let absent = deny(&format!("\"Null\":{{{key}:\"true\"}}"));
        let other = deny(&format!("\"StringNotEquals\":{{{key}:\"AES256\"}}"));
        let policy = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{absent},{other}]}}");
        let path = format!("/{bucket}");
        let ask = Ask::new("PUT", &path)
            .query(&[("policy", "")])
            .body(policy.as_bytes());
        self.served.send(&ask).await.is(204);
    }

    async fn configure(&self, (bucket, what): (&str, &str), document: &str) {
        let ask = Ask::new("PUT", bucket)
            .query(&[(what, "")])
            .body(document.as_bytes());
        self.served.send(&ask).await.is(200);
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<Pair<'_>> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// A request with headers changed behind the signature's back.
fn edited(request: &[u8], change: impl Fn(&str, &str) -> Option<String>) -> Vec<u8> {
    let text = std::str::from_utf8(request).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let mut out = lines.next().unwrap().to_owned();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        if let Some(value) = change(name, value) {
            out += &format!("\r\n{name}: {value}");
        }
    }
    format!("{out}\r\n\r\n{body}").into_bytes()
}

fn refuses(refused: &Refused, method: &str, reply: &Reply) -> Result<(), String> {
    let differs = |what: &str| Err(format!("{what} of {} is another", refused.name));
    if reply.status != refused.status {
        return differs("the status");
    }
    if reply.header("x-amz-request-id").is_none() {
        return Err("there is no request id".to_owned());
    }
    if method == "HEAD" {
        let empty = reply.body.is_empty();
        return if empty { Ok(()) } else { differs("the body") };
    }
    if reply.element("Code").as_deref() != Some(refused.code) {
        return differs("the code");
    }
    let message = unescaped(&reply.element("Message").unwrap_or_default());
    if !fits(refused.message, &message) {
        return differs("the message");
    }
    let argument = refused.argument;
    let name = argument.map(|(name, _)| name);
    if reply.element("ArgumentName").as_deref() != name {
        return differs("ArgumentName");
    }
    let value = argument.and_then(|(_, value)| value);
    if reply.element("ArgumentValue").as_deref() != value {
        return differs("ArgumentValue");
    }
    let told = ["CanonicalRequest", "StringToSign", K1.1, K2.1];
    match told.iter().find(|secret| reply.text().contains(**secret)) {
        Some(secret) => Err(format!("the refusal tells {secret}")),
        None => Ok(()),
    }
}

/// Whether a message is this one; `…` stands for anything.
fn fits(pattern: &str, message: &str) -> bool {
    let mut rest = message;
    for (number, piece) in pattern.split('…').enumerate() {
        match rest.find(piece) {
            Some(_) if number > 0 && piece.is_empty() => rest = "",
            Some(0) => rest = &rest[piece.len()..],
            Some(at) if number > 0 => rest = &rest[at + piece.len()..],
            Some(_) | None => return false,
        }
    }
    rest.is_empty()
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn serves(answer: &Answer, facts: &Facts, reply: &Reply) -> Result<(), String> {
    let Answer::Served {
        status,
        shows,
        holds,
        body,
        reads: _,
    } = answer
    else {
        return Err("this is a refusal".to_owned());
    };
    if reply.status != *status {
        return Err(format!("the status is not {status}"));
    }
    for (name, value) in *shows {
        let wanted = value.map(|value| facts.fill(value));
        if reply.header(name) != wanted.as_deref() {
            return Err(format!("{name} is not {wanted:?}"));
        }
    }
    for piece in *holds {
        let (wanted, piece) = match piece.strip_prefix('!') {
            Some(piece) => (false, facts.fill(piece)),
            None => (true, facts.fill(piece)),
        };
        if reply.text().contains(&piece) != wanted {
            return Err(format!("the body holds {piece}: {}", !wanted));
        }
    }
    match body {
        Some(body) if reply.text() != *body => Err(format!("the body is not {body:?}")),
        Some(_) | None => Ok(()),
    }
}
