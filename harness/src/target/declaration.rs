//! A profile file: what is told about one service once, instead of by flags in each run.
//!
//! Knows how the service is reached and addressed, whose answers it gives, what it claims to offer
//! and what it withholds, and how much of it a run may take. Holds no credentials, and draws no
//! line that could hold one. A flag of the command line wins over what stands here.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::scenario::ambient::Axes;
use crate::scenario::definition::{CAPABILITIES, Capability, SIGHTS};
use crate::transport::Endpoint;
use crate::yaml::{
    self, Code, Diagnostic, Diagnostics, Fields, Kind, Node, Pair, Reader, SourceFile,
};

/// Words in names of fields that people put credentials in.
const SECRETS: [&str; 6] = [
    "secret",
    "token",
    "password",
    "access-key",
    "access_key",
    "accesskey",
];

/// What a profile file says. What it leaves out is `None`, and has the default that it has without
/// a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declaration {
    /// The file, as it was named.
    pub file: String,
    /// What it calls the service.
    pub name: String,
    /// `https://host[:port]`, or `http://…`.
    pub endpoint: Option<String>,
    /// A second listener, without TLS.
    pub http_endpoint: Option<String>,
    pub region: Option<String>,
    /// The profile of the AWS tools' shared files whose credentials are used; those of the
    /// environment win.
    pub aws_profile: Option<String>,
    pub dialect: Option<String>,
    /// As `--style` and `--payload` have them.
    pub style: Option<&'static str>,
    pub payload: Option<&'static str>,
    pub vhost_domain: Option<String>,
    /// PEM file of the authority to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// Trust any certificate.
    pub insecure: bool,
    /// An existing bucket to work in.
    pub bucket: Option<String>,
    /// Where the service keeps its data.
    pub data_dir: Option<PathBuf>,
    /// The file that the service logs to.
    pub server_log: Option<PathBuf>,
    /// What must work: where it does not, a trial that needs it fails instead of being unsupported.
    pub claims: BTreeSet<Capability>,
    /// What is not asked for, each with its reason: trials that need it are unsupported.
    pub withholds: BTreeMap<Capability, String>,
    pub limits: Limits,
}

/// How much of a service a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Trials at a time.
    pub parallel: Option<NonZeroUsize>,
    /// Requests, repetitions included.
    pub requests: Option<u64>,
    /// Bytes of bodies, both ways.
    pub bytes: Option<u64>,
    /// Longest time for one request and its answer.
    pub timeout: Option<Duration>,
    /// How often a request is sent again when no answer came.
    pub resends: Option<u32>,
}

impl Declaration {
    /// Reads a profile file below `directory`. Its own relative paths begin in its folder.
    ///
    /// # Errors
    /// Every mistake in it, with file and line, or that it cannot be read.
    pub fn read(directory: &Path, file: &Path) -> Result<Self, Diagnostics> {
        let path = directory.join(file);
        let source = SourceFile::read(&path)?;
        let root = yaml::parse(&source).map_err(Diagnostics::without_lines)?;
        if let Some(diagnostic) = credentials(&root, &source) {
            let mut diagnostics = Diagnostics::default();
            diagnostics.push(diagnostic);
            return Err(diagnostics);
        }
        let mut reader = Reader::new(&source);
        let folder = path.parent().unwrap_or(directory);
        let declaration = decode(&root, folder, &mut reader);
        let declaration = Self {
            file: file.display().to_string(),
            ..declaration.unwrap_or_default()
        };
        let read = reader.finish().into_result(declaration);
        read.map_err(Diagnostics::without_lines)
    }
}

/// A field that is meant for a credential. It is told by its line and never drawn.
fn credentials(root: &Node, source: &SourceFile) -> Option<Diagnostic> {
    let Kind::Mapping(pairs) = &root.kind else {
        return None;
    };
    let inner = pairs.iter().flat_map(|pair| match &pair.value.kind {
        Kind::Mapping(inner) => inner.as_slice(),
        Kind::Scalar(_) | Kind::Sequence(_) => &[],
    });
    let is_secret = |pair: &&Pair| {
        let name = pair.key.text.to_lowercase();
        SECRETS.iter().any(|word| name.contains(word))
    };
    let found = pairs.iter().chain(inner).find(is_secret)?;
    let (line, _) = source.line_column(found.key_span);
    let (path, field) = (&source.path, &found.key.text);
    let message = format!("{path}:{line}: `{field}`: a profile holds no credentials");
    Some(Diagnostic::outside(Code::UnknownField, message).note(
        "they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from the shared files: \
         `aws-profile` names whose",
    ))
}

fn decode(root: &Node, folder: &Path, reader: &mut Reader<'_>) -> Option<Declaration> {
    let mut fields = reader.fields(root, "a profile")?;
    let name = fields.required("profile", reader);
    let name = name.and_then(|node| reader.text(node, "`profile`"));
    let path = |path: String| folder.join(path);
    let claims = fields.optional("claims");
    let withholds = fields.optional("withholds");
    let limits = fields.optional("limits");
    let style = fields.optional("style");
    let payload = fields.optional("payload");
    let insecure = fields.pair("insecure");
    let found = Declaration {
        file: String::new(),
        name: name.unwrap_or_default().to_owned(),
        endpoint: address("endpoint", &mut fields, reader),
        http_endpoint: address("http-endpoint", &mut fields, reader),
        region: text("region", &mut fields, reader),
        aws_profile: text("aws-profile", &mut fields, reader),
        dialect: text("dialect", &mut fields, reader),
        payload: payload.and_then(|node| {
            let payloads = Axes::PAYLOADS.map(|word| (word, word));
            reader.choice(node, "`payload`", &payloads)
        }),
        style: style.and_then(|node| {
            let styles = Axes::STYLES.map(|word| (word, word));
            reader.choice(node, "`style`", &styles)
        }),
        vhost_domain: text("vhost-domain", &mut fields, reader),
        ca: text("ca", &mut fields, reader).map(path),
        insecure: insecure
            .and_then(|pair| reader.truth(&pair.value, "`insecure`"))
            .unwrap_or_default(),
        bucket: text("bucket", &mut fields, reader),
        data_dir: text("data-dir", &mut fields, reader).map(path),
        server_log: text("server-log", &mut fields, reader).map(path),
        claims: claims.map(|node| claimed(node, reader)).unwrap_or_default(),
        withholds: withholds
            .map(|node| withheld(node, reader))
            .unwrap_or_default(),
        limits: limits
            .and_then(|node| bounds(node, reader))
            .unwrap_or_default(),
    };
    fields.finish(reader);
    if let (true, Some(_), Some(pair)) = (found.insecure, &found.ca, insecure) {
        let message = "`insecure` trusts any certificate, and `ca` one authority";
        let error = reader.error(Code::Contradiction, pair.key_span, message);
        reader.push(error.note("keep one of the two"));
    }
    let both = found
        .claims
        .iter()
        .find(|c| found.withholds.contains_key(c));
    if let (Some(both), Some(node)) = (both, claims) {
        let message = format!("`{}` is both claimed and withheld", both.word());
        let error = reader.error_at(Code::Contradiction, node, message);
        reader.push(error);
    }
    Some(found)
}

fn text(name: &'static str, fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let node = fields.optional(name)?;
    let text = reader.text(node, &format!("`{name}`"));
    text.map(str::to_owned)
}

/// An endpoint's URL; one with a password in it is not drawn.
fn address(name: &'static str, fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let node = fields.optional(name)?;
    let url = reader.text(node, &format!("`{name}`"))?;
    match Endpoint::parse(url) {
        Ok(endpoint) if name == "http-endpoint" && endpoint.tls => {
            let message = "`http-endpoint` is the listener without TLS and begins with http://";
            let error = reader.error_at(Code::BadValue, node, message);
            reader.push(error);
        }
        Ok(_) => {}
        Err(why) if url.contains('@') => {
            let (line, _) = reader.file().line_column(node.span);
            let message = format!("{}:{line}: {why}", reader.file().path);
            reader.push(Diagnostic::outside(Code::BadValue, message));
        }
        Err(why) => {
            let error = reader.error_at(Code::BadValue, node, why.to_string());
            reader.push(error.note("write it as https://host or https://host:port"));
        }
    }
    Some(url.to_owned())
}

/// Every word of a capability, what can be seen besides the answers included.
fn words() -> Vec<(&'static str, Capability)> {
    CAPABILITIES.into_iter().chain(SIGHTS).collect()
}

fn claimed(node: &Node, reader: &mut Reader<'_>) -> BTreeSet<Capability> {
    let items = reader.list(node, "`claims`").unwrap_or_default();
    let claims = items
        .iter()
        .filter_map(|item| reader.choice(item, "a claim", &words()));
    claims.collect()
}

fn withheld(node: &Node, reader: &mut Reader<'_>) -> BTreeMap<Capability, String> {
    let mut withheld = BTreeMap::new();
    let pairs = reader.named(node, "`withholds`").unwrap_or_default();
    for pair in pairs {
        let word = pair.key.text.as_str();
        let words = words();
        let Some((_, capability)) = words.iter().find(|(known, _)| *known == word) else {
            let message = format!("nothing called `{word}` can be withheld");
            let known = words.iter().map(|(word, _)| *word);
            reader.unknown(Code::UnknownName, pair.key_span, message, word, known);
            continue;
        };
        if *capability == Capability::SseC {
            let message = "SSE-C is what is judged: it cannot be withheld";
            let error = reader.error(Code::BadValue, pair.key_span, message);
            reader.push(error);
        }
        if let Some(reason) = reader.text(&pair.value, "the reason") {
            withheld.insert(*capability, reason.to_owned());
        }
    }
    withheld
}

fn bounds(node: &Node, reader: &mut Reader<'_>) -> Option<Limits> {
    let mut fields = reader.fields(node, "the limits")?;
    let parallel = fields.optional("parallel");
    let requests = fields.optional("requests");
    let bytes = fields.optional("bytes");
    let timeout = fields.optional("timeout");
    let resends = fields.optional("resends");
    fields.finish(reader);
    let parallel = parallel.and_then(|node| reader.whole(node, "`parallel`"));
    let timeout = timeout.and_then(|node| {
        let seconds = reader.seconds(node, "`timeout`")?;
        let longer = (seconds > 0).then_some(seconds);
        reader.or_note(
            longer.ok_or_else(|| "`timeout` must be longer than nothing".to_owned()),
            node,
        )
    });
    Some(Limits {
        parallel,
        requests: requests.and_then(|node| reader.whole(node, "`requests`")),
        bytes: bytes.and_then(|node| reader.size(node, "`bytes`")),
        timeout: timeout.map(|seconds| Duration::from_secs(u64::from(seconds))),
        resends: resends.and_then(|node| reader.whole(node, "`resends`")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Declaration, String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("p.yaml"), text).unwrap();
        Declaration::read(directory.path(), Path::new("p.yaml")).map_err(|e| e.to_string())
    }

    #[track_caller]
    fn check_refused(text: &str, says: &[&str]) {
        let told = read(text).expect_err("not refused");
        for word in says {
            assert!(told.contains(word), "{told}");
        }
    }

    #[test]
    fn what_is_left_out_has_no_value() {
        let declared = read("profile: p\nca: trust/ca.pem\nlimits: {parallel: 2}\n").unwrap();
        assert_eq!((declared.name.as_str(), declared.endpoint), ("p", None));
        assert!(declared.ca.unwrap().ends_with("trust/ca.pem"));
        assert_eq!(declared.limits.parallel, NonZeroUsize::new(2));
        assert_eq!(declared.limits.timeout, None);
    }

    #[test]
    fn mistakes_are_told_together_with_file_and_line() {
        let text = "profile: p\nendpiont: https://a\nstyle: dns\nlimits: {parallel: 0}\n";
        check_refused(
            text,
            &["p.yaml:2:1", "`endpoint`", "p.yaml:3:8", "p.yaml:4:20"],
        );
        check_refused("endpoint: https://a\n", &["`profile`"]);
        check_refused("profile: p\nendpoint: https://a/b\n", &["p.yaml:2", "path"]);
        check_refused(
            "profile: p\nhttp-endpoint: https://a\n",
            &["p.yaml:2", "http://"],
        );
        check_refused("profile: p\nlimits: {timeout: 0 s}\n", &["p.yaml:2"]);
        check_refused("profile: p\nclaims: [sse]\n", &["p.yaml:2:10", "`sse-c`"]);
    }

    #[test]
    fn claims_and_what_is_withheld_do_not_meet() {
        let text = "profile: p\nclaims: [sse-c, copy]\nwithholds: {versioning: later}\n";
        let declared = read(text).unwrap();
        assert!(declared.claims.contains(&Capability::Copy));
        assert_eq!(declared.withholds[&Capability::Versioning], "later");
        check_refused(
            "profile: p\nclaims: [copy]\nwithholds: {copy: x}\n",
            &["`copy` is both"],
        );
        check_refused("profile: p\nwithholds: {sse-c: x}\n", &["SSE-C"]);
        check_refused("profile: p\ninsecure: true\nca: a.pem\n", &["`insecure`"]);
    }

    #[test]
    fn a_credential_is_refused_and_not_drawn() {
        for text in [
            "profile: p\nsecret-access-key: hunter2hunter2\n",
            "profile: p\ncredentials: {aws_access_key_id: A, AWS_SECRET: hunter2hunter2}\n",
            "profile: p\nendpoint: https://user:hunter2hunter2@s3.example.com\n",
            "profile: p\nendpiont: https://user:hunter2hunter2@s3.example.com\n",
            "profile: p\ncredentials: [{secret: hunter2hunter2}]\n",
            "profile: p\nlimits: {a: {secret: hunter2hunter2}}\n",
            "profile: p\npwd: hunter2hunter2\n",
            "profile: p\nsecret: hunter2hunter2: hunter2\n",
        ] {
            let told = read(text).expect_err("not refused");
            assert!(
                told.contains("p.yaml:2") && !told.contains("hunter2"),
                "{told}"
            );
        }
    }
}
