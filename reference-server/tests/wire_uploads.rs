//! Multipart uploads over TLS: under whose key parts are, who may add one, and what comes of them.

mod client;

use client::upload::{self, etag, list};
use client::{ALGORITHM, Ask, M1, M2, MANAGED, MD5, Pair, Reply, S1, Served, T1, T2};
use reference_server::ssec::dialect::Dialect;

const PATH: &str = "/bucket/dir/large";
const FROM: &str = "/bucket/from";
const MIB: usize = 1 << 20;

const MPU_NEED: &str = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
const PARAMS_DIFFER: &str =
    "The provided encryption parameters did not match the ones used originally.";

fn get<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("GET", PATH).with(headers)
}

async fn create(served: &Served, headers: &[Pair<'_>]) -> String {
    upload::create(served, PATH, headers).await
}

fn part<'a>(id: &'a str, number: &'a str, headers: &[Pair<'a>], body: &'a [u8]) -> Ask<'a> {
    upload::part(PATH, (id, number), headers, body)
}

fn complete<'a>(id: &'a str, list: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    upload::complete(PATH, id, list, headers)
}

fn message(reply: &Reply) -> String {
    reply.element("Message").unwrap_or_default()
}

#[tokio::test]
async fn an_object_in_three_parts() {
    let served = Served::start(Dialect::Aws).await;
    let bodies = [vec![1_u8; 5 * MIB], vec![2_u8; 5 * MIB + 1], vec![3_u8; 10]];
    for (key, other) in [(&T1[..], &T2[..]), (&[][..], &T1[..])] {
        let ssec = !key.is_empty();
        let ask = Ask::new("POST", PATH).query(&[("uploads", "")]).with(key);
        let created = served.send(&ask).await;
        assert_eq!(created.is(200).header(MD5), ssec.then_some(M1));
        assert_eq!(created.header(MANAGED), (!ssec).then_some("AES256"));
        let id = created.element("UploadId").unwrap();
        let mut etags = Vec::new();
        for (number, body) in ["1", "2", "3"].iter().zip(&bodies) {
            let stored = served.send(&part(&id, number, key, body)).await;
            assert_eq!(stored.is(200).header(MD5), ssec.then_some(M1));
            etags.push(etag(&stored));
        }
        let listed = Ask::new("GET", PATH).query(&[("uploadId", id.as_str())]);
        let listed = served.send(&listed).await;
        assert_eq!(listed.is(200).text().matches("<Part>").count(), 3);
        assert!(listed.text().contains("<Size>5242881</Size>"));
        let uploads = Ask::new("GET", "/bucket").query(&[("uploads", "")]);
        let uploads_before = served.send(&uploads).await;
        assert_eq!(
            uploads_before.is(200).element("UploadId").as_ref(),
            Some(&id)
        );
        served.send(&get(key)).await.refused(404, "NoSuchKey");

        let parts = list(&[(1, &etags[0]), (2, &etags[1]), (3, &etags[2])]);
        let completed = served.send(&complete(&id, &parts, &[])).await;
        completed.is(200);
        // The formula of the contract's section 3.1, from the binary ETags as issued.
        let joined: Vec<u8> = etags.iter().flat_map(|e| hex::decode(e).unwrap()).collect();
        let expected = format!("&quot;{}-3&quot;", client::md5_hex(&joined));
        assert_eq!(completed.element("ETag"), Some(expected.clone()));
        let uploads_after = served.send(&uploads).await;
        assert_eq!(uploads_after.is(200).element("UploadId"), None);

        let read = served.send(&get(key)).await;
        assert_eq!(read.is(200).body, bodies.concat());
        assert_eq!(
            read.header("etag").unwrap().replace('"', "&quot;"),
            expected
        );
        assert_eq!(read.header(MD5), ssec.then_some(M1));
        for (number, body) in ["1", "2", "3"].iter().zip(&bodies) {
            let one = get(key).query(&[("partNumber", number)]);
            let one = served.send(&one).await;
            assert_eq!(&one.is(206).body, body);
            assert_eq!(one.header("x-amz-mp-parts-count"), Some("3"));
        }
        let beyond = get(key).query(&[("partNumber", "4")]);
        served.send(&beyond).await.refused(416, "InvalidPartNumber");
        let across = get(key).with(&[("range", "bytes=5242870-5242889")]);
        let across = served.send(&across).await;
        assert_eq!(across.is(206).body, [&[1_u8; 10][..], &[2_u8; 10]].concat());
        served
            .send(&get(other))
            .await
            .is(if ssec { 403 } else { 400 });
        if ssec {
            served.send(&get(&[])).await.refused(400, "InvalidRequest");
        }
        served.send(&Ask::new("DELETE", PATH)).await.is(204);
        served
            .send(&complete(&id, &parts, &[]))
            .await
            .refused(404, "NoSuchUpload");
    }
}

#[tokio::test]
async fn parts_and_upload_agree_on_the_key() {
    let served = Served::start(Dialect::Aws).await;
    let id = create(&served, &T1).await;
    let refused = served.send(&part(&id, "1", &[], b"x")).await;
    refused.refused(400, "InvalidRequest");
    assert_eq!(message(&refused), MPU_NEED);
    let refused = served.send(&part(&id, "1", &T2, b"x")).await;
    refused.refused(400, "InvalidRequest");
    assert_eq!(message(&refused), PARAMS_DIFFER);
    let mismatch = [T1[0], T1[1], (MD5, M2)];
    served
        .send(&part(&id, "1", &mismatch, b"x"))
        .await
        .refused(400, "InvalidArgument");
    served
        .send(&part(&id, "1", &T1[1..], b"x"))
        .await
        .refused(400, "InvalidArgument");
    let mixed = [T1[0], T1[1], T1[2], (MANAGED, "AES256")];
    served
        .send(&part(&id, "1", &mixed, b"x"))
        .await
        .refused(400, "InvalidArgument");
    let listed = Ask::new("GET", PATH).query(&[("uploadId", id.as_str())]);
    let listed = served.send(&listed).await;
    assert_eq!(listed.is(200).text().matches("<Part>").count(), 0);

    let plain = create(&served, &[]).await;
    let refused = served.send(&part(&plain, "1", &T1, b"x")).await;
    refused.refused(400, "InvalidRequest");
    assert_eq!(message(&refused), MPU_NEED);
    served.send(&part(&plain, "1", &[], b"x")).await.is(200);
    let stored = etag(&served.send(&part(&id, "1", &T1, b"x")).await);
    let parts = list(&[(1, &stored)]);
    let refused = served.send(&complete(&id, &parts, &T2)).await;
    refused.refused(400, "InvalidRequest");
    assert_eq!(message(&refused), PARAMS_DIFFER);
    served.send(&complete(&id, &parts, &T1)).await.is(200);
    assert_eq!(served.send(&get(&T1)).await.is(200).body, b"x");
}

#[tokio::test]
async fn numbers_and_lists_have_bounds() {
    let served = Served::start(Dialect::Aws).await;
    let id = create(&served, &T1).await;
    for number in ["0", "10001", "-1", "x", ""] {
        let refused = served.send(&part(&id, number, &T1, b"x")).await;
        refused.refused(400, "InvalidArgument");
    }
    let last = etag(&served.send(&part(&id, "10000", &T1, b"last")).await);
    let first = etag(&served.send(&part(&id, "1", &T1, b"small")).await);
    let other = "00000000000000000000000000000000";
    for (parts, code) in [
        (&[][..], "MalformedXML"),
        (&[(1, other)], "InvalidPart"),
        (&[(2, first.as_str())], "InvalidPart"),
        (
            &[(10_000, last.as_str()), (1, first.as_str())],
            "InvalidPartOrder",
        ),
        (
            &[(1, first.as_str()), (1, first.as_str())],
            "InvalidPartOrder",
        ),
        (
            &[(1, first.as_str()), (10_000, last.as_str())],
            "EntityTooSmall",
        ),
    ] {
        let parts = list(parts);
        served
            .send(&complete(&id, &parts, &[]))
            .await
            .refused(400, code);
    }
    served.send(&get(&T1)).await.refused(404, "NoSuchKey");
    // A part that is sent again replaces the first; one that is not listed goes.
    let again = etag(&served.send(&part(&id, "1", &T1, b"again")).await);
    assert_ne!(first, again);
    let stale = list(&[(1, &first)]);
    served
        .send(&complete(&id, &stale, &[]))
        .await
        .refused(400, "InvalidPart");
    served
        .send(&complete(&id, &list(&[(1, &again)]), &[]))
        .await
        .is(200);
    assert_eq!(served.send(&get(&T1)).await.is(200).body, b"again");

    let gone = create(&served, &T1).await;
    served.send(&part(&gone, "1", &T1, b"x")).await.is(200);
    let abort = Ask::new("DELETE", PATH).query(&[("uploadId", gone.as_str())]);
    served.send(&abort).await.is(204);
    served.send(&abort).await.refused(404, "NoSuchUpload");
    served
        .send(&part(&gone, "2", &T1, b"x"))
        .await
        .refused(404, "NoSuchUpload");
    served
        .send(&part("nonsense", "2", &T1, b"x"))
        .await
        .refused(404, "NoSuchUpload");
}

#[tokio::test]
async fn parts_are_copied_with_both_keys() {
    let served = Served::start(Dialect::Aws).await;
    let source = Ask::new("PUT", FROM).with(&T1).body(b"0123456789");
    served.send(&source).await.is(200);
    let id = create(&served, &T2).await;
    let copy = |number: &'static str, headers: &[Pair<'static>]| {
        let from = [("x-amz-copy-source", FROM)];
        let names = [("partNumber", number), ("uploadId", id.as_str())];
        Ask::new("PUT", PATH)
            .query(&names)
            .with(&from)
            .with(headers)
    };
    let middle = ("x-amz-copy-source-range", "bytes=2-4");
    let copied = served.send(&copy("1", &T2).with(&S1).with(&[middle])).await;
    assert_eq!(copied.is(200).header(MD5), Some(M2));
    let etag = copied.element("ETag").unwrap().replace("&quot;", "");
    assert_eq!(etag.len(), 32);

    let bare = served.send(&copy("2", &T2)).await; // M12
    bare.refused(400, "InvalidRequest");
    let unkeyed = served.send(&copy("2", &S1)).await; // M13
    unkeyed.refused(400, "InvalidRequest");
    assert_eq!(message(&unkeyed), MPU_NEED);
    let wrong_target = served.send(&copy("2", &T1).with(&S1)).await; // M14
    assert_eq!(
        message(wrong_target.refused(400, "InvalidRequest")),
        PARAMS_DIFFER
    );
    let mut s2 = S1;
    (s2[1].1, s2[2].1) = (T2[1].1, T2[2].1);
    served
        .send(&copy("2", &T2).with(&s2))
        .await
        .refused(403, "AccessDenied"); // M15
    for range in ["bytes=2-10", "bytes=5-", "bytes=4-2", "2-4"] {
        let out = copy("2", &T2)
            .with(&S1)
            .with(&[("x-amz-copy-source-range", range)]);
        served.send(&out).await.refused(400, "InvalidArgument");
    }
    served
        .send(&complete(&id, &list(&[(1, &etag)]), &[]))
        .await
        .is(200);
    assert_eq!(served.send(&get(&T2)).await.is(200).body, b"234");
}

#[tokio::test]
async fn a_declared_checksum_needs_the_key_at_the_end() {
    let served = Served::start(Dialect::Aws).await;
    let declared = Ask::new("POST", PATH)
        .query(&[("uploads", "")])
        .with(&T1)
        .with(&[("x-amz-checksum-algorithm", "SHA256")]);
    let created = served.send(&declared).await;
    assert_eq!(
        created.is(200).header("x-amz-checksum-algorithm"),
        Some("SHA256")
    );
    assert_eq!(created.header("x-amz-checksum-type"), Some("COMPOSITE"));
    let id = created.element("UploadId").unwrap();
    let other = part(&id, "1", &T1, b"secret");
    let crc = ("x-amz-checksum-crc32", "AAAAAA==");
    served
        .send(&other.clone().with(&[crc]))
        .await
        .refused(400, "InvalidRequest");
    // `printf secret | openssl dgst -sha256 -binary | base64`
    let sum = "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=";
    let shown = other.with(&[("x-amz-checksum-sha256", sum)]);
    let stored = served.send(&shown).await;
    assert_eq!(stored.is(200).header("x-amz-checksum-sha256"), Some(sum));
    let etag = etag(&stored);
    let entry = |sum: &str| {
        format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>{sum}</Part></CompleteMultipartUpload>"
        )
    };
    let whole = entry(&format!("<ChecksumSHA256>{sum}</ChecksumSHA256>"));
    let bare = served.send(&complete(&id, &whole, &[])).await; // M18
    bare.refused(400, "InvalidRequest");
    let wrong = served.send(&complete(&id, &whole, &T2)).await; // M19
    assert_eq!(message(wrong.refused(400, "InvalidRequest")), PARAMS_DIFFER);
    let missing = entry("");
    served
        .send(&complete(&id, &missing, &T1))
        .await
        .refused(400, "InvalidRequest");
    let another =
        entry("<ChecksumSHA256>57Cg+N2YpVM557Cg+N2YpVM557Cg+N2YpVM557Cg+M0=</ChecksumSHA256>");
    served
        .send(&complete(&id, &another, &T1))
        .await
        .refused(400, "InvalidPart");
    let completed = served.send(&complete(&id, &whole, &T1)).await;
    assert_eq!(completed.is(200).header(ALGORITHM), None);
    let composite = completed.element("ChecksumSHA256").unwrap();
    assert!(composite.ends_with("-1"), "{composite}");
    assert_eq!(
        completed.element("ChecksumType").as_deref(),
        Some("COMPOSITE")
    );
    let read = get(&T1).with(&[("x-amz-checksum-mode", "ENABLED")]);
    let read = served.send(&read).await;
    assert_eq!(
        read.is(200).header("x-amz-checksum-sha256"),
        Some(composite.as_str())
    );
    let attributes = get(&T1)
        .query(&[("attributes", "")])
        .with(&[("x-amz-object-attributes", "Checksum,ObjectParts")]);
    let attributes = served.send(&attributes).await;
    let shown = attributes.is(200).element("ChecksumSHA256");
    assert_eq!(shown.as_deref(), composite.strip_suffix("-1"));
    assert_eq!(attributes.element("PartsCount").as_deref(), Some("1"));
}

#[tokio::test]
async fn uploads_in_dialect_ovh() {
    let served = Served::start(Dialect::Ovh).await;
    let id = create(&served, &T1).await;
    served
        .send(&part(&id, "1", &[], b"x"))
        .await
        .refused(400, "BadRequest");
    served
        .send(&part(&id, "1", &T2, b"x"))
        .await
        .refused(403, "AccessDenied");
    let stored = served.send(&part(&id, "1", &T1, b"test_data")).await;
    // MD5 of `test_data`, from the contract's appendix C.
    assert_eq!(etag(&stored), "6af8307c2460f2d208ad254f04be4b0d");
    assert_eq!(stored.header(MD5), None);
    let parts = list(&[(1, "6af8307c2460f2d208ad254f04be4b0d")]);
    let completed = served.send(&complete(&id, &parts, &[])).await;
    assert!(completed.is(200).header("x-amz-version-id").is_some());
    assert_eq!(served.send(&get(&T1)).await.is(200).body, b"test_data");
    served.send(&get(&[])).await.refused(400, "BadRequest");
    let plain = create(&served, &[]).await;
    served
        .send(&part(&plain, "1", &T1, b"x"))
        .await
        .refused(400, "InvalidRequest");
}
