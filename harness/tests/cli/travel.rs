//! How requests travel: a run varies it for all trials, a step pins it, and what is sent is what was
//! meant.

use reports::record::CaseRecord;
use reports::run::Run;
use reports::verdict::Verdict;

use crate::front::Front;
use crate::judging::judged;
use crate::served::{Served, Told, ssec, world};

const TRIAL: &str = "roundtrip::put-get-head[body=kib]";

/// Runs the test command with these arguments, every exchange recorded.
fn run(arguments: &[&str]) -> (Told, Run) {
    let directory = tempfile::tempdir().unwrap();
    judged(directory.path(), &[&["-vv"], arguments].concat())
}

/// A header of each request that writes the trial's object.
fn sent(case: &CaseRecord, name: &str) -> Vec<String> {
    let puts = case.steps.iter().filter(|step| step.operation == "put");
    let heads = puts.filter_map(|step| step.exchange.as_ref());
    let values = heads.flat_map(|exchange| exchange.request.headers.clone());
    let values = values.filter(|(own, _)| own.eq_ignore_ascii_case(name));
    values.map(|(_, value)| value).collect()
}

fn case<'a>(run: &'a Run, name: &str) -> &'a CaseRecord {
    let found = run.cases.iter().find(|case| case.name == name);
    found.unwrap_or_else(|| panic!("{name} was not run"))
}

#[test]
fn each_trial_runs_once_a_value_and_is_named_by_it() {
    let (told, run) = run(&["--style", "both", "--payload", "all", TRIAL]);
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let values = [
        ("", "path", "signed"),
        ("@unsigned", "path", "unsigned"),
        ("@chunked", "path", "chunked"),
        ("@vhost", "vhost", "signed"),
        ("@vhost,unsigned", "vhost", "unsigned"),
        ("@vhost,chunked", "vhost", "chunked"),
    ];
    assert_eq!(run.cases.len(), values.len());
    assert_eq!(run.header.target.style, "both");
    assert_eq!(run.header.target.payload.as_deref(), Some("all"));
    for (suffix, style, payload) in values {
        let case = case(&run, &format!("{TRIAL}{suffix}"));
        let cells: Vec<&str> = case.cells.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(cells, ["kib", style, payload], "{suffix}");
        let host = sent(case, "host").remove(0);
        assert_eq!(host.starts_with("ssec-"), style == "vhost", "{host}");
        let hash = sent(case, "x-amz-content-sha256").remove(0);
        let is_meant = match payload {
            "unsigned" => hash == "UNSIGNED-PAYLOAD",
            "chunked" => hash == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            _ => hash.len() == 64,
        };
        assert!(is_meant, "{suffix}: {hash}");
        let again = &case.repeat.as_ref().unwrap().rerun;
        assert!(again.contains("--style both --payload all"), "{again}");
        assert!(again.contains(&case.name), "{again}");
    }
}

#[test]
fn one_value_keeps_the_names() {
    let (told, run) = run(&["--style", "vhost", "--payload", "chunked", TRIAL]);
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let case = case(&run, TRIAL);
    assert_eq!(case.cells.len(), 1);
    assert_eq!(sent(case, "content-encoding"), ["aws-chunked"]);
    assert_eq!(sent(case, "x-amz-decoded-content-length"), ["1024"]);
    let again = &case.repeat.as_ref().unwrap().rerun;
    assert!(again.contains("--style vhost --payload chunked"), "{again}");
}

/// A value that changes no request is no second trial: code, presigned bodies, reads.
#[test]
fn what_travels_alike_runs_once() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let list = |filter: &str| {
        let told = ssec(&["test", "--list", "--payload", "all", filter], &world);
        assert_eq!(told.code, 0, "{}", told.notes);
        told.out
    };
    assert!(!list("at-rest::").contains('@'));
    let chunked = list("integrity::");
    // A body with Content-MD5 does not go in chunks.
    assert!(chunked.contains("@unsigned"), "{chunked}");
    let explained = ssec(&["explain", &format!("{TRIAL}@vhost,chunked")], &world);
    assert_eq!(explained.code, 0, "{}", explained.notes);
    assert!(
        explained.out.contains("to the host bucket.target"),
        "{}",
        explained.out
    );
    assert!(
        explained.out.contains("in chunks, each signed"),
        "{}",
        explained.out
    );
    let nobody = ssec(&["explain", &format!("{TRIAL}@nowhere")], &world);
    assert_eq!(nobody.code, 4);
}

/// Neither name server nor resolver is asked: the endpoint's own address is connected to.
#[test]
fn a_domain_of_no_name_server_will_do() {
    let server = Served::start(&[]);
    let address = server.endpoint().replace("localhost", "127.0.0.1");
    assert!(address.contains("127.0.0.1"), "{address}");
    let target = [
        "--endpoint",
        &address,
        "--region",
        "us-east-1",
        "--insecure",
    ];
    let both = ["--style", "both", TRIAL];
    let domain = ["--vhost-domain", "s3.localhost"];
    let (told, with) = run(&[&target[..], &both, &domain].concat());
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let vhost = case(&with, &format!("{TRIAL}@vhost"));
    assert_eq!(vhost.verdict, Verdict::Pass);
    assert!(sent(vhost, "host")[0].contains(".s3.localhost"));
    // Without a domain an address has no name to put the bucket's before.
    let (told, without) = run(&[&target[..], &both].concat());
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let vhost = case(&without, &format!("{TRIAL}@vhost"));
    assert_eq!(vhost.verdict, Verdict::Unsupported);
    assert_eq!(case(&without, TRIAL).verdict, Verdict::Pass);
}

#[test]
fn a_target_that_takes_no_bucket_from_the_host_is_told_apart() {
    let server = Served::start(&["--plain-http", "--listen", "127.0.0.1:0"]);
    let target = ["--endpoint", server.endpoint(), "--region", "us-east-1"];
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let judged = |more: &[&str]| ssec(&[&["test", TRIAL][..], &target, more].concat(), &world);
    let wrong = judged(&["--style", "vhost", "--vhost-domain", "nobody.example"]);
    assert_eq!(wrong.code, 3, "{}{}", wrong.out, wrong.notes);
    assert!(
        wrong.notes.starts_with("error[E123]") || wrong.notes.contains("\nerror[E123]"),
        "{}",
        wrong.notes
    );
    assert!(wrong.notes.contains("--vhost-domain"), "{}", wrong.notes);
    let right = judged(&["--style", "vhost", "--vhost-domain", "s3.localhost"]);
    assert_eq!(right.code, 0, "{}{}", right.out, right.notes);
}

/// Who sees no bucket in the host may take the request for one about all buckets: the run's own
/// bucket is not there because of that.
#[test]
fn a_target_that_answers_with_all_buckets_is_told_apart() {
    let server = Served::start(&["--plain-http", "--listen", "127.0.0.1:0"]);
    let front = Front::before(&server, |_| {
        let body = "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>";
        let length = body.len();
        Some(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    });
    let directory = tempfile::tempdir().unwrap();
    let target = ["--endpoint", &front.url, "--region", "us-east-1"];
    let vhost = ["--style", "vhost", "--vhost-domain", "s3.example"];
    let arguments = [&["test", TRIAL][..], &target, &vhost].concat();
    let told = ssec(&arguments, &world(directory.path()));
    assert_eq!(told.code, 3, "{}{}", told.out, told.notes);
    assert!(told.notes.contains("error[E123]"), "{}", told.notes);
    assert!(told.notes.contains("with all buckets"), "{}", told.notes);
}

/// As Amazon S3 makes them: new buckets block SSE-C until they are told otherwise.
#[test]
fn a_bucket_that_blocks_ssec_is_told_apart_and_the_runs_own_is_allowed_it() {
    let server = Served::start(&["--block-ssec", "--bucket", "taken"]);
    let target = ["--endpoint", server.endpoint(), "--region", "us-east-1"];
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let judged = |more: &[&str]| {
        let ca = ["--ca", server.ca()];
        ssec(&[&["test", TRIAL][..], &target, &ca, more].concat(), &world)
    };
    let named = judged(&["--bucket", "taken"]);
    assert_eq!(named.code, 3, "{}{}", named.out, named.notes);
    assert!(named.notes.contains("error[E122]"), "{}", named.notes);
    assert!(
        named.notes.contains("the bucket taken blocks SSE-C"),
        "{}",
        named.notes
    );
    let own = judged(&[]);
    assert_eq!(own.code, 0, "{}{}", own.out, own.notes);
    assert!(
        own.notes.contains("new buckets of this target block SSE-C"),
        "{}",
        own.notes
    );
    // A trial's own bucket is made later, and is allowed it too.
    let ca = ["--ca", server.ca()];
    let trial = ["test", "versions::listed", "--exact"];
    let versions = ssec(&[&trial[..], &target, &ca].concat(), &world);
    assert_eq!(versions.code, 0, "{}{}", versions.out, versions.notes);
}
