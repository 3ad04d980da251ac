//! Signature Version 4, from the AWS page "Create a signed AWS API request". Written here a second
//! time, so that a mistake of the server's cannot cancel itself out.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use reference_server::Running;

use super::{Ask, Cover, Place};

type Pairs = Vec<(String, String)>;

pub(super) struct Signer<'a> {
    server: &'a Running,
    host: String,
    time: String,
}

impl<'a> Signer<'a> {
    pub(super) fn new(server: &'a Running) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a signature needs the present time"
        )]
        let now = jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap();
        let host = format!("localhost:{}", server.address.port());
        Self {
            server,
            host,
            time: now.strftime("%Y%m%dT%H%M%SZ").to_string(),
        }
    }

    /// The bytes of the signed request.
    pub(super) fn request(&self, ask: &Ask<'_>) -> Vec<u8> {
        let payload = match (ask.payload, ask.place) {
            (Some(kind), _) => kind.to_owned(),
            (None, Place::Header) => hex::encode(digest(&SHA256, ask.body)),
            (None, Place::Query) => "UNSIGNED-PAYLOAD".to_owned(),
        };
        let mut headers = self.headers(ask, &payload);
        let signed = covered(&headers, ask.cover);
        let names: Vec<_> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let line = self.query(ask, &names);
        let lines: String = signed
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let canonical = format!(
            "{}\n{}\n{line}\n{lines}\n{names}\n{payload}",
            ask.method,
            ask.canonical.unwrap_or(ask.path)
        );
        let signature = self.signature(&canonical);
        let line = match ask.place {
            Place::Query => format!("{line}&X-Amz-Signature={signature}"),
            Place::Header => {
                let credential = self.credential();
                let authorization = format!(
                    "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, \
                     Signature={signature}"
                );
                headers.push(("Authorization".to_owned(), authorization));
                line
            }
        };
        let mark = if line.is_empty() { "" } else { "?" };
        let mut text = format!("{} {}{mark}{line} HTTP/1.1\r\n", ask.method, ask.path);
        if !ask.body.is_empty() || ask.method == "PUT" {
            headers.push(("Content-Length".to_owned(), ask.body.len().to_string()));
        }
        for (name, value) in &headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        text.push_str("Connection: close\r\n\r\n");
        [text.as_bytes(), ask.body].concat()
    }

    fn headers(&self, ask: &Ask<'_>, payload: &str) -> Pairs {
        let host = match ask.host {
            None => self.host.clone(),
            Some(name) => format!("{name}:{}", self.server.address.port()),
        };
        let mut headers = vec![("Host".to_owned(), host)];
        if ask.place == Place::Header {
            headers.push(("x-amz-date".to_owned(), self.time.clone()));
            headers.push(("x-amz-content-sha256".to_owned(), payload.to_owned()));
        }
        headers.extend(owned(&ask.headers));
        headers
    }

    fn query(&self, ask: &Ask<'_>, signed_names: &str) -> String {
        let mut query = owned(&ask.query);
        if ask.place == Place::Query {
            query.extend(owned(&[
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                ("X-Amz-Credential", &self.credential()),
                ("X-Amz-Date", &self.time),
                ("X-Amz-Expires", "600"),
                ("X-Amz-SignedHeaders", signed_names),
            ]));
        }
        let encode = |(name, value): &(String, String)| (encoded(name), encoded(value));
        let mut pairs: Vec<_> = query.iter().map(encode).collect();
        // By name first: joined with `=` they would sort otherwise.
        pairs.sort();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    }

    fn scope(&self) -> String {
        format!("{}/{}/s3/aws4_request", &self.time[..8], self.server.region)
    }

    fn credential(&self) -> String {
        format!("{}/{}", self.server.access_key_id, self.scope())
    }

    /// The fields that sign a policy, which is given as base64.
    pub(super) fn form_fields(&self, policy: &str) -> Pairs {
        let signature = hex::encode(mac(&self.key(), policy.as_bytes()));
        let mut fields = self.form_facts();
        fields.extend(owned(&[
            ("policy", policy),
            ("x-amz-signature", signature.as_str()),
        ]));
        fields
    }

    /// The fields about the signature that a policy has to name.
    pub(super) fn form_facts(&self) -> Pairs {
        owned(&[
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", &self.credential()),
            ("x-amz-date", &self.time),
        ])
    }

    fn signature(&self, canonical: &str) -> String {
        let digest = hex::encode(digest(&SHA256, canonical.as_bytes()));
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{digest}",
            self.time,
            self.scope()
        );
        hex::encode(mac(&self.key(), to_sign.as_bytes()))
    }

    fn key(&self) -> Vec<u8> {
        let mut key = format!("AWS4{}", self.server.secret_access_key).into_bytes();
        for part in [
            &self.time[..8],
            self.server.region.as_str(),
            "s3",
            "aws4_request",
        ] {
            key = mac(&key, part.as_bytes());
        }
        key
    }
}

/// The headers that the signature covers: lower case, sorted, a doubled one joined.
fn covered(headers: &[(String, String)], cover: Cover<'_>) -> Pairs {
    let covers = |name: &str| match cover {
        Cover::All => true,
        Cover::Only(names) => {
            matches!(name, "host" | "x-amz-date" | "x-amz-content-sha256") || names.contains(&name)
        }
    };
    let mut signed = Pairs::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        match signed.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => write!(values, ",{}", value.trim()).unwrap(),
            None if covers(&name) => signed.push((name, value.trim().to_owned())),
            None => {}
        }
    }
    signed.sort();
    signed
}

fn owned(pairs: &[(&str, &str)]) -> Pairs {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
        .as_ref()
        .to_vec()
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => write!(out, "%{other:02X}").unwrap(),
        }
    }
    out
}
