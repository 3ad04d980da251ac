//! Forms that store an object, with the policy that signs them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::signer::Signer;
use super::{Pair, Reply, Served};

const BOUNDARY: &str = "----form0123";

/// A form before it is signed. Its policy has a condition for each field, unless told otherwise.
#[derive(Clone)]
pub struct Form<'a> {
    pub target: &'a str,
    pub host: &'a str,
    pub fields: Vec<Pair<'a>>,
    /// Fields that no condition is made for.
    pub uncovered: Vec<&'a str>,
    /// More conditions, each JSON.
    pub conditions: Vec<&'a str>,
    pub expiration: &'a str,
    /// More headers of the request.
    pub headers: Vec<Pair<'a>>,
    pub filename: &'a str,
    pub file: &'a [u8],
}

impl<'a> Form<'a> {
    /// A form that stores `file` under the name `key` in the bucket `bucket`.
    pub fn new(key: &'a str, file: &'a [u8]) -> Self {
        Self {
            target: "/bucket",
            host: "localhost",
            fields: vec![("key", key)],
            uncovered: Vec::new(),
            conditions: Vec::new(),
            expiration: "2999-01-01T00:00:00.000Z",
            headers: Vec::new(),
            filename: "a.txt",
            file,
        }
    }

    pub fn with(mut self, fields: &[Pair<'a>]) -> Self {
        self.fields.extend_from_slice(fields);
        self
    }

    pub fn condition(mut self, json: &'a str) -> Self {
        self.conditions.push(json);
        self
    }

    pub fn uncovered(mut self, name: &'a str) -> Self {
        self.uncovered.push(name);
        self
    }

    pub fn header(mut self, header: Pair<'a>) -> Self {
        self.headers.push(header);
        self
    }

    pub fn file_name(mut self, name: &'a str) -> Self {
        self.filename = name;
        self
    }
}

impl Served {
    pub async fn post(&self, form: &Form<'_>) -> Reply {
        self.send_bytes(&self.form_bytes(form)).await
    }

    /// The fields of a form, those of its signature last.
    pub fn form_fields(&self, form: &Form<'_>) -> Vec<(String, String)> {
        let signer = Signer::new(&self.server);
        let owned = |(name, value): &Pair<'_>| ((*name).to_owned(), (*value).to_owned());
        let fields: Vec<_> = form.fields.iter().map(owned).collect();
        let mut conditions: Vec<_> = form.conditions.iter().map(|c| (*c).to_owned()).collect();
        for (name, value) in fields.iter().chain(&signer.form_facts()) {
            if !form.uncovered.contains(&name.as_str()) {
                conditions.push(serde_json::json!(["eq", format!("${name}"), value]).to_string());
            }
        }
        let policy = format!(
            "{{\"expiration\": \"{}\", \"conditions\": [{}]}}",
            form.expiration,
            conditions.join(", ")
        );
        let signed = signer.form_fields(&STANDARD.encode(policy));
        fields.into_iter().chain(signed).collect()
    }

    /// The bytes of a form.
    pub fn form_bytes(&self, form: &Form<'_>) -> Vec<u8> {
        form_bytes(form, &self.form_fields(form))
    }
}

/// The bytes of a form with other fields than its own.
pub fn form_bytes(form: &Form<'_>, fields: &[(String, String)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend(part.as_bytes());
    }
    let file = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
         Content-Type: image/png\r\n\r\n",
        form.filename
    );
    body.extend(file.as_bytes());
    body.extend(form.file);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let headers: String = form
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         {headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        form.target,
        form.host,
        body.len()
    );
    [head.as_bytes(), &body].concat()
}
