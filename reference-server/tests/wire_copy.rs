//! Copies over TLS: under which key a copy is, who may make one, and that a refused one leaves
//! nothing.

mod client;

use client::{
    ALGORITHM, Ask, M1, M2, MANAGED, MD5, Pair, S1, S2, SOURCE_ALGORITHM, SOURCE_MD5, Served, T1,
    T2,
};
use reference_server::ssec::dialect::Dialect;

const TEXT: &[u8] = b"test_data";
const FROM: &str = "/bucket/from";
const TO: &str = "/bucket/to";

const NEED_KEY: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
const PARAMS_DIFFER: &str =
    "The provided encryption parameters did not match the ones used originally.";

fn put<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("PUT", path).with(headers).body(TEXT)
}

fn get<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", path).with(headers)
}

/// A copy from `FROM` to `path`.
fn copy<'a>(path: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("PUT", path)
        .with(&[("x-amz-copy-source", FROM)])
        .with(headers)
}

fn both<'a>(source: &[Pair<'a>], target: &[Pair<'a>]) -> Vec<Pair<'a>> {
    source.iter().chain(target).copied().collect()
}

#[tokio::test]
async fn every_copy_is_under_its_own_key() {
    let served = Served::start(Dialect::Aws).await;
    let cases: [(&[Pair<'_>], &[Pair<'_>], &[Pair<'_>]); 6] = [
        (&[], &[], &[]),
        (&T1, &S1, &[]),
        (&[], &[], &T2),
        (&T1, &S1, &T1),
        (&T1, &S1, &T2),
        (&[], &[], &[(MANAGED, "AES256")]),
    ];
    for (stored, source, target) in cases {
        served.send(&put(FROM, stored)).await.is(200);
        let copied = served.send(&copy(TO, &both(source, target))).await;
        copied.is(200);
        let etag = copied.element("ETag").unwrap();
        assert_eq!(etag.len(), 32 + 2 * "&quot;".len(), "{etag}");
        assert!(copied.element("LastModified").unwrap().ends_with('Z'));
        assert!(copied.text().contains("<CopyObjectResult xmlns="));
        let key = target.first().is_some_and(|(name, _)| *name == ALGORITHM);
        let md5 = target.get(2).map(|(_, md5)| *md5);
        assert_eq!(copied.header(ALGORITHM), key.then_some("AES256"));
        assert_eq!(copied.header(MD5), md5);
        assert_eq!(copied.header(MANAGED), (!key).then_some("AES256"));
        let reader = if key { target } else { &[] };
        let read = served.send(&get(TO, reader)).await;
        assert_eq!(read.is(200).body, TEXT);
        assert_eq!(
            read.header("etag").unwrap().replace('"', "&quot;"),
            etag,
            "the copy's own ETag"
        );
        if key {
            served
                .send(&get(TO, &[]))
                .await
                .refused(400, "InvalidRequest");
            let other = if md5 == Some(M1) { &T2 } else { &T1 };
            served
                .send(&get(TO, other))
                .await
                .refused(403, "AccessDenied");
        }
        // The source is as it was.
        assert_eq!(served.send(&get(FROM, stored)).await.is(200).body, TEXT);
    }
}

#[tokio::test]
async fn a_source_gives_nothing_without_its_key() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(FROM, &T1)).await.is(200);
    for target in [&[][..], &T1, &T2] {
        let refused = served.send(&copy(TO, target)).await;
        refused.refused(400, "InvalidRequest");
        assert_eq!(refused.element("Message").as_deref(), Some(NEED_KEY));
        let wrong = served.send(&copy(TO, &both(&S2, target))).await;
        wrong.refused(403, "AccessDenied");
    }
    let kms = [(SOURCE_ALGORITHM, "KMS"), S1[1], S1[2]];
    let refused = served.send(&copy(TO, &kms)).await;
    refused.refused(400, "InvalidEncryptionAlgorithmError");
    assert_eq!(refused.element("ArgumentName").as_deref(), Some(MANAGED));
    assert_eq!(refused.element("ArgumentValue").as_deref(), Some("KMS"));
    for flawed in [&[S1[0], S1[1], (SOURCE_MD5, M2)][..], &S1[..2], &S1[1..]] {
        let refused = served.send(&copy(TO, flawed)).await;
        refused.refused(400, "InvalidArgument");
        assert_eq!(refused.element("ArgumentName").as_deref(), Some(MANAGED));
    }
    let mixed = both(&both(&S1, &T1), &[(MANAGED, "AES256")]);
    let refused = served.send(&copy(TO, &mixed)).await;
    refused.refused(400, "InvalidArgument");
    assert_eq!(refused.element("ArgumentValue").as_deref(), Some("AES256"));
    // Conditions and checksums tell nothing before the key is proved.
    let condition = ("x-amz-copy-source-if-match", "\"0\"");
    served
        .send(&copy(TO, &[condition]))
        .await
        .refused(400, "InvalidRequest");
    let wrong = both(&S2, &[condition]);
    served
        .send(&copy(TO, &wrong))
        .await
        .refused(403, "AccessDenied");
    served.send(&get(TO, &[])).await.refused(404, "NoSuchKey");
    served.send(&copy(TO, &S1)).await.is(200);

    served.send(&put(FROM, &[])).await.is(200);
    served
        .send(&copy(TO, &S1))
        .await
        .refused(400, "InvalidRequest");
}

#[tokio::test]
async fn copies_onto_themselves() {
    let served = Served::start(Dialect::Aws).await;
    served.send(&put(FROM, &T1)).await.is(200);
    served
        .send(&copy(FROM, &both(&S1, &T1)))
        .await
        .refused(400, "InvalidRequest");
    let refused = served.send(&copy(FROM, &both(&S2, &T2))).await;
    refused.refused(400, "InvalidRequest");
    assert_eq!(refused.element("Message").as_deref(), Some(PARAMS_DIFFER));
    served
        .send(&copy(FROM, &both(&S2, &T1)))
        .await
        .refused(403, "AccessDenied");
    // The key is changed in place, and changed away.
    served.send(&copy(FROM, &both(&S1, &T2))).await.is(200);
    served
        .send(&get(FROM, &T1))
        .await
        .refused(403, "AccessDenied");
    assert_eq!(served.send(&get(FROM, &T2)).await.is(200).body, TEXT);
    served.send(&copy(FROM, &S2)).await.is(200);
    assert_eq!(served.send(&get(FROM, &[])).await.is(200).body, TEXT);
    let refused = served.send(&copy(FROM, &[])).await;
    refused.refused(400, "InvalidRequest");
    assert!(
        refused
            .text()
            .contains("copy an object to itself without changing")
    );
    let renamed = [
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-meta-a", "b"),
    ];
    served.send(&copy(FROM, &renamed)).await.is(200);
    served
        .send(&copy(FROM, &[(MANAGED, "AES256")]))
        .await
        .is(200);
    served.send(&copy(FROM, &T1)).await.is(200);
    assert_eq!(served.send(&get(FROM, &T1)).await.is(200).body, TEXT);
}

#[tokio::test]
async fn metadata_is_copied_or_replaced() {
    let served = Served::start(Dialect::Aws).await;
    let kept = [("content-type", "text/plain"), ("x-amz-meta-colour", "red")];
    served.send(&put(FROM, &T1).with(&kept)).await.is(200);
    let new = [("x-amz-meta-shape", "round")];
    served.send(&copy(TO, &both(&S1, &new))).await.is(200);
    let read = served.send(&get(TO, &[])).await;
    assert_eq!(read.header("content-type"), Some("text/plain"));
    assert_eq!(read.header("x-amz-meta-colour"), Some("red"));
    assert_eq!(read.header("x-amz-meta-shape"), None);
    let replaced = copy(TO, &both(&S1, &new)).with(&[("x-amz-metadata-directive", "REPLACE")]);
    served.send(&replaced).await.is(200);
    let read = served.send(&get(TO, &[])).await;
    assert_eq!(read.header("content-type"), Some("binary/octet-stream"));
    assert_eq!(read.header("x-amz-meta-colour"), None);
    assert_eq!(read.header("x-amz-meta-shape"), Some("round"));
    let unknown = copy(TO, &both(&S1, &[("x-amz-metadata-directive", "KEEP")]));
    served.send(&unknown).await.refused(400, "InvalidArgument");
    let tagged = copy(TO, &both(&S1, &[("x-amz-website-redirect-location", "/x")]));
    served.send(&tagged).await.refused(501, "NotImplemented");
}

#[tokio::test]
async fn conditions_on_the_source() {
    let served = Served::start(Dialect::Aws).await;
    let stored = served.send(&put(FROM, &T1)).await;
    let etag = stored.header("etag").unwrap();
    let other = "\"00000000000000000000000000000000\"";
    let past = "Fri, 01 Jan 1999 22:04:48 GMT";
    let future = "Fri, 01 Jan 2100 22:04:48 GMT";
    let cases = [
        ("x-amz-copy-source-if-match", etag, 200),
        ("x-amz-copy-source-if-match", other, 412),
        ("x-amz-copy-source-if-none-match", etag, 412),
        ("x-amz-copy-source-if-none-match", other, 200),
        ("x-amz-copy-source-if-modified-since", past, 200),
        ("x-amz-copy-source-if-modified-since", future, 412),
        ("x-amz-copy-source-if-unmodified-since", past, 412),
        ("x-amz-copy-source-if-unmodified-since", future, 200),
    ];
    for (name, value, status) in cases {
        let reply = served.send(&copy(TO, &both(&S1, &[(name, value)]))).await;
        reply.is(status);
        if status == 412 {
            let named = reply.element("Condition").unwrap();
            assert_eq!(named.to_ascii_lowercase(), name);
        }
    }
    let absent = both(&S1, &[("if-none-match", "*")]);
    served
        .send(&copy(TO, &absent))
        .await
        .refused(412, "PreconditionFailed");
}

#[tokio::test]
async fn checksums_are_carried_over() {
    let served = Served::start(Dialect::Aws).await;
    // Of `test_data`: what gzip writes into its trailer, big endian, in base64.
    let crc = ("x-amz-checksum-crc32", "qIrZrA==");
    served.send(&put(FROM, &T1).with(&[crc])).await.is(200);
    for target in [&[][..], &T2] {
        let copied = served.send(&copy(TO, &both(&S1, target))).await;
        assert_eq!(
            copied.is(200).element("ChecksumCRC32").as_deref(),
            Some(crc.1)
        );
        assert_eq!(
            copied.element("ChecksumType").as_deref(),
            Some("FULL_OBJECT")
        );
        let mode = both(target, &[("x-amz-checksum-mode", "ENABLED")]);
        let read = served.send(&get(TO, &mode)).await;
        assert_eq!(read.header(crc.0), Some(crc.1));
    }
    let other = both(&S1, &[("x-amz-checksum-algorithm", "SHA256")]);
    let copied = served.send(&copy(TO, &other)).await;
    // `printf test_data | openssl dgst -sha256 -binary | base64`
    let sha = "59h7c4glwzgkzz/TK3MUFh/IxCUSkWP/XnJg/HKI2jY=";
    assert_eq!(
        copied.is(200).element("ChecksumSHA256").as_deref(),
        Some(sha)
    );
    let unknown = both(&S1, &[("x-amz-checksum-algorithm", "MD5")]);
    served
        .send(&copy(TO, &unknown))
        .await
        .refused(400, "InvalidRequest");
}

#[tokio::test]
async fn sources_that_are_not_there() {
    let served = Served::start(Dialect::Aws).await;
    let from = |source| Ask::new("PUT", TO).with(&[("x-amz-copy-source", source)]);
    served
        .send(&from("/bucket/none"))
        .await
        .refused(404, "NoSuchKey");
    served
        .send(&from("/none/from"))
        .await
        .refused(404, "NoSuchBucket");
    for source in ["", "from", "/bucket/", "/bucket/%zz", "/bucket/from?a=b"] {
        served
            .send(&from(source))
            .await
            .refused(400, "InvalidArgument");
    }
    served.send(&put("/bucket/a%20b/c", &[])).await.is(200);
    served.send(&from("bucket/a%20b/c")).await.is(200);
    served.send(&from("bucket%2Fa%20b%2Fc")).await.is(200);
    let bodied = from("bucket/a%20b/c").body(b"x");
    served
        .send(&bodied)
        .await
        .refused(400, "MaxMessageLengthExceeded");
    let unsigned = copy(TO, &S1).cover(&["x-amz-copy-source"]);
    served.send(&unsigned).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn a_damaged_source_makes_no_copy() {
    let served = Served::start(Dialect::Aws).await;
    let body = vec![7_u8; 5 << 20];
    served.send(&put(FROM, &T1).body(&body)).await.is(200);
    served.send(&copy(TO, &both(&S1, &T2))).await.is(200);
    assert_eq!(served.send(&get(TO, &T2)).await.is(200).body, body);
    served.send(&Ask::new("DELETE", TO)).await.is(204);
    damage_the_bodies(served.directory.path()).unwrap();
    served
        .send(&copy(TO, &both(&S1, &T2)))
        .await
        .refused(500, "InternalError");
    served.send(&get(TO, &[])).await.refused(404, "NoSuchKey");
}

/// Flips a bit shortly before the end of each file that can be the body. A deleted object's goes
/// after its answer, so it may still be there, and may go meanwhile.
fn damage_the_bodies(directory: &std::path::Path) -> std::io::Result<()> {
    let mut damaged = 0;
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let mut bytes = match std::fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                bytes => bytes?,
            };
            // Metadata and keys are smaller.
            if bytes.len() > 5 << 20 {
                let at = bytes.len() - 100;
                bytes[at] ^= 1;
                let file = std::fs::OpenOptions::new().write(true).open(&path);
                match file.and_then(|mut file| std::io::Write::write_all(&mut file, &bytes)) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    written => written.map(|()| damaged += 1)?,
                }
            }
        }
    }
    assert!(damaged > 0, "no body was damaged");
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_blocks_ssec_takes_no_copies_under_a_key() {
    let served = Served::start_with(Dialect::Aws, |config| config.block_ssec = true).await;
    served.send(&put(FROM, &[])).await.is(200);
    let refused = served.send(&copy(TO, &T1)).await;
    refused.refused(403, "AccessDenied");
    assert!(
        refused
            .text()
            .contains("not authorized to perform: s3:CopyObject on resource")
    );
    served.send(&copy(TO, &[])).await.is(200);
}

#[tokio::test]
async fn copies_in_dialect_ovh() {
    let served = Served::start(Dialect::Ovh).await;
    served.send(&put(FROM, &T1)).await.is(200);
    // MD5 of `test_data`, from the contract's appendix C.
    let etag = "&quot;6af8307c2460f2d208ad254f04be4b0d&quot;";
    for target in [&[][..], &T1, &T2] {
        let copied = served.send(&copy(TO, &both(&S1, target))).await;
        assert_eq!(copied.is(200).element("ETag").as_deref(), Some(etag));
        assert_eq!(copied.header(MD5), None);
        assert_eq!(copied.header(MANAGED), None);
        assert!(copied.header("x-amz-version-id").is_some());
        assert_eq!(served.send(&get(TO, target)).await.is(200).body, TEXT);
        served
            .send(&copy(TO, target))
            .await
            .refused(400, "BadRequest");
        served
            .send(&copy(TO, &both(&S2, target)))
            .await
            .refused(403, "AccessDenied");
    }
    served.send(&get(TO, &[])).await.refused(400, "BadRequest");
}
