//! What policies deny, and what is no policy that can be heeded.

use super::*;

fn statement(condition: &str) -> String {
    format!(
        "{{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:PutObject\",\
         \"Resource\":\"arn:aws:s3:::b/*\",\"Condition\":{condition}}}"
    )
}

fn policy(statements: &str) -> Result<BucketPolicy, S3Error> {
    let text = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statements}]}}");
    BucketPolicy::read(text.as_bytes(), "b")
}

/// Whether a request of these values is denied an action on an object.
fn denies(statements: &str, action: &str, object: Option<&str>, values: &[(&str, &str)]) -> bool {
    policy(statements).unwrap().denies(&Asked {
        action,
        bucket: "b",
        object,
        value: &|key| {
            let found = values.iter().find(|(known, _)| *known == key);
            found.map(|(_, value)| (*value).to_owned())
        },
    })
}

/// Whether a write is denied: without the header, with `AES256`, with `AES192`.
fn writes(condition: &str) -> [bool; 3] {
    let key = CUSTOMER_ALGORITHM;
    [&[][..], &[(key, "AES256")], &[(key, "AES192")]]
        .map(|values| denies(&statement(condition), "s3:PutObject", Some("o"), values))
}

fn on(operator: &str, value: &str) -> String {
    // Names of keys count in any case.
    let key = "S3:X-Amz-Server-Side-Encryption-Customer-Algorithm";
    format!("{{\"{operator}\":{{\"{key}\":{value}}}}}")
}

#[test]
fn operators() {
    for (operator, value, expected) in [
        ("Null", "\"true\"", [true, false, false]),
        ("Null", "false", [false, true, true]),
        ("StringEquals", "\"AES256\"", [false, true, false]),
        ("StringEquals", "\"aes256\"", [false, false, false]),
        ("StringNotEquals", "\"AES256\"", [true, false, true]),
        (
            "StringNotEquals",
            "[\"AES256\",\"AES192\"]",
            [true, false, false],
        ),
        ("StringEqualsIfExists", "\"AES256\"", [true, true, false]),
        ("StringNotEqualsIfExists", "\"AES256\"", [true, false, true]),
        ("StringEqualsIgnoreCase", "\"aes256\"", [false, true, false]),
        (
            "StringNotEqualsIgnoreCase",
            "\"aes256\"",
            [true, false, true],
        ),
        ("StringLike", "\"AES*\"", [false, true, true]),
        ("StringLike", "[\"X\",\"AES2??\"]", [false, true, false]),
        ("StringNotLike", "\"*192\"", [true, true, false]),
    ] {
        assert_eq!(writes(&on(operator, value)), expected, "{operator} {value}");
    }
    let both = "{\"Null\":{\"s3:x-amz-server-side-encryption-customer-algorithm\":\"false\"},\
        \"StringNotEquals\":{\"s3:x-amz-server-side-encryption-customer-algorithm\":\"AES256\"}}";
    assert_eq!(writes(both), [false, false, true]);
}

#[test]
fn truth_values() {
    let insecure = statement("{\"Bool\":{\"aws:SecureTransport\":\"false\"}}");
    let over = |value| {
        denies(
            &insecure,
            "s3:PutObject",
            Some("o"),
            &[(SECURE_TRANSPORT, value)],
        )
    };
    assert!(over("false") && !over("true"));
}

#[test]
fn actions_and_resources() {
    let deny = |action: &str, resource: &str| {
        format!(
            "{{\"Sid\":\"s\",\"Effect\":\"Deny\",\"Principal\":{{\"AWS\":[\"*\"]}},\
             \"Action\":{action},\"Resource\":{resource}}}"
        )
    };
    let reads = deny("\"s3:getobject*\"", "\"arn:aws:s3:::b/secret/*\"");
    assert!(denies(&reads, "s3:GetObject", Some("secret/a"), &[]));
    assert!(denies(&reads, "s3:GetObjectVersion", Some("secret/a"), &[]));
    assert!(!denies(&reads, "s3:GetObject", Some("public/a"), &[]));
    assert!(!denies(&reads, "s3:PutObject", Some("secret/a"), &[]));
    let lists = deny("[\"s3:ListBucket\",\"s3:PutObject\"]", "\"arn:aws:s3:::b\"");
    assert!(denies(&lists, "s3:ListBucket", None, &[]));
    assert!(!denies(&lists, "s3:PutObject", Some("o"), &[]));
    let all = deny("\"*\"", "[\"arn:aws:s3:::b*\"]");
    assert!(denies(&all, "s3:ListBucket", None, &[]));
    assert!(denies(&all, "s3:DeleteObject", Some("o"), &[]));
    let second = format!("{reads},{lists}");
    assert!(denies(&second, "s3:ListBucket", None, &[]));
}

#[track_caller]
fn refused(text: &str, code: Code) {
    let error = BucketPolicy::read(text.as_bytes(), "b").unwrap_err();
    assert_eq!(error.code(), code, "{text}");
}

#[test]
fn what_would_not_be_heeded_is_refused() {
    let good = format!("{{\"Statement\":{}}}", statement(&on("Null", "\"true\"")));
    assert!(BucketPolicy::read(good.as_bytes(), "b").is_ok());
    let change = |from: &str, to: &str| {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        changed
    };
    for text in [
        change("Deny", "Allow"),
        change(
            "\"Principal\":\"*\"",
            "\"Principal\":{\"AWS\":\"arn:aws:iam::1:root\"}",
        ),
        change("\"Principal\":\"*\"", "\"Principal\":{\"Service\":\"*\"}"),
        change("\"Principal\":\"*\"", "\"NotPrincipal\":\"*\""),
        change("\"Action\"", "\"NotAction\""),
        change("\"Resource\"", "\"NotResource\""),
        change("s3:PutObject", "s3:PutObjectAcl"),
        change("Null", "IpAddress"),
        change("Null", "ForAnyValue:StringEquals"),
        change("Null", "NullIfExists"),
        change("Customer-Algorithm", "Customer-Key-Md5"),
        change("arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}"),
    ] {
        refused(&text, Code::NotImplemented);
    }
    for text in [
        String::new(),
        format!(" {good}"),
        "[]".to_owned(),
        "{}".to_owned(),
        "{\"Statement\":[]}".to_owned(),
        "{\"Statement\":[1]}".to_owned(),
        "{\"Statement\":{}}".to_owned(),
        format!("{{\"Version\":\"2020-01-01\",{}", &good[1..]),
        format!("{{\"Novel\":1,{}", &good[1..]),
        change("\"Effect\"", "\"effect\""),
        change("Deny", "Maybe"),
        change("\"Principal\":\"*\",", ""),
        change("s3:PutObject", "ec2:Run"),
        change("arn:aws:s3:::b/*", "arn:aws:s3:::other/*"),
        change("arn:aws:s3:::b/*", "arn:aws:s3:::bother/*"),
        change("arn:aws:s3:::b/*", "arn:aws:s3:::b"),
        change("\"s3:PutObject\"", "[]"),
        change("\"s3:PutObject\"", "\"s3:ListBucket\""),
        change("\"true\"", "\"yes\""),
        change("\"true\"", "1"),
        format!("{good}{}", " ".repeat(MAX_POLICY_BYTES)),
        format!("{{\"Statement\":{}", "[".repeat(5000)),
    ] {
        refused(&text, Code::MalformedPolicy);
    }
}

/// Of two members of one name a reader may see either: each comes once.
#[test]
fn a_member_that_comes_twice_is_refused() {
    let good = statement(&on("Null", "true"));
    assert!(policy(&good).is_ok());
    let malformed = |text: &str| {
        let read = policy(text).map_err(|error| error.code());
        assert_eq!(read, Err(Code::MalformedPolicy), "{text}");
    };
    malformed(&good.replace("}}}", "},\"Null\":{}}}"));
    malformed(&good.replace("\"Action\"", "\"Action\":\"s3:GetObject\",\"Action\""));
    malformed(&good.replace("{\"Effect\"", "{\"Effect\":\"Deny\",\"Effect\""));
    let twice = format!("{{\"Statement\":[],\"Statement\":[{good}]}}");
    let read = BucketPolicy::read(twice.as_bytes(), "b").map_err(|error| error.code());
    assert_eq!(read, Err(Code::MalformedPolicy));
}
