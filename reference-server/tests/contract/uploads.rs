//! Section 2.6, multipart uploads.

use super::table::Evidence::{Der, Doc, Obs, Peer, Suite, Unk};
use super::table::Given::{Completed, Nothing, Part, PartThenDemanding, SourceAndUpload, Upload};
use super::table::Pair;
use super::table::{
    Answer, Given, Request, Row, TEXT, case, get, on_bucket, post, put, row, same, served,
};
use super::words::*;

const SHA256: Pair = ("x-amz-checksum-algorithm", "SHA256");
const PLAIN: Given = Upload(NONE);
const OF_K1: Given = Upload(T1);
const OF_K2: Given = SourceAndUpload(T1, T2);
const SUMMED: Given = Part(&[A, K1, M1, SHA256], T1);
const RANGE: Pair = ("x-amz-copy-source-range", "bytes=0-3");

const fn create(headers: &'static [Pair]) -> Request {
    post(headers).query(&[("uploads", "")])
}

const fn part(headers: &'static [Pair]) -> Request {
    put(headers).query(&[("partNumber", "1"), ("uploadId", "{upload}")])
}

const fn part_copy(headers: &'static [Pair]) -> Request {
    part(headers).body("")
}

const fn complete(headers: &'static [Pair]) -> Request {
    post(headers).query(&[("uploadId", "{upload}")]).body(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>",
    )
}

/// With the checksum of `test_data`: `printf test_data | openssl dgst -sha256 -binary | base64`.
const fn complete_summed(headers: &'static [Pair]) -> Request {
    complete(headers).body(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag><ChecksumSHA256>59h7c4glwzgkzz/TK3MUFh/IxCUSkWP/XnJg/HKI2jY=</ChecksumSHA256></Part></CompleteMultipartUpload>",
    )
}

const fn parts(headers: &'static [Pair]) -> Request {
    get(headers).query(&[("uploadId", "{upload}")])
}

const DONE: Answer = served(200).read_by(BY_K1);
const LISTED: Answer = served(200).holding(&[
    "<PartNumber>1</PartNumber>",
    "<Size>9</Size>",
    "<ETag>&quot;{tag}&quot;</ETag>",
]);

pub const ROWS: &[Row] = &[
    row(
        "M1",
        "create with the triple",
        (Obs, Peer),
        &[case(
            Nothing,
            create(T1),
            served(200).showing(ECHO1).holding(&["<UploadId>"]),
            served(200).showing(NO_ECHO).holding(&["<UploadId>"]),
        )],
    ),
    row(
        "M2",
        "create with a flawed triple",
        (Der, Peer),
        &[
            case(Nothing, create(&[K1, M1]), ALG_MISSING, served(200)),
            case(Nothing, create(&[A, M1]), KEY_MISSING, OVH_CLEAR),
            case(Nothing, create(&[A, K1]), MD5_MISSING, served(200)),
            case(Nothing, create(&[A, K1, M2]), MD5_MISMATCH, served(200)),
            case(Nothing, create(&[A, K10, M10]), KEY_INVALID, OVH_KEY),
            case(
                Nothing,
                create(&[KMS, K1, M1]),
                ALG_INVALID.value("KMS"),
                served(200),
            ),
            case(
                Nothing,
                create(&[A, K1, M1, SSE_S3]),
                MIXED.value("AES256"),
                served(200),
            ),
        ],
    )
    .departing(),
    row(
        "M3",
        "a part with the triple",
        (Obs, Peer),
        &[case(
            OF_K1,
            part(T1),
            served(200).showing(ECHO1),
            served(200).showing(NO_ECHO_AND_MD5),
        )],
    ),
    row(
        "M4",
        "a part without a header",
        (Obs, Peer),
        &[case(OF_K1, part(NONE), MPU_NEED, OVH_CLEAR)],
    )
    .departing(),
    row(
        "M5",
        "a part under another key",
        (Obs, Peer),
        &[case(OF_K1, part(T2), PARAMS_DIFFER, OVH_WRONG)],
    )
    .departing(),
    row(
        "M6",
        "a part with a triple for a plain upload",
        (Obs, Peer),
        &[same(PLAIN, part(T1), MPU_NEED)],
    )
    .departing(),
    row(
        "M7",
        "a part with the MD5 of another key",
        (Suite, Peer),
        &[case(OF_K1, part(&[A, K1, M2]), MD5_MISMATCH, served(200))],
    ),
    row(
        "M8",
        "a part without the algorithm",
        (Unk, Peer),
        &[case(OF_K1, part(&[K1, M1]), ALG_MISSING, served(200))],
    ),
    row(
        "M9",
        "a part with `x-amz-server-side-encryption`, and with that alone",
        (Unk, Peer),
        &[
            case(
                OF_K1,
                part(&[A, K1, M1, SSE_S3]),
                MIXED.value("AES256"),
                served(200),
            ),
            case(PLAIN, part(&[SSE_S3]), ON_READ.value("AES256"), served(200)),
        ],
    ),
    row(
        "M10",
        "a part sent again",
        (Der, Peer),
        &[same(Part(T1, T1), part(T1).body("second"), served(200))],
    ),
    row(
        "M11",
        "a part copied with both triples",
        (Suite, Unk),
        &[case(
            OF_K2,
            part_copy(&[FROM, SA, SK1, SM1, A, K2, M2]),
            served(200).showing(ECHO2).holding(&["<CopyPartResult"]),
            served(200).showing(NO_ECHO).holding(&["<CopyPartResult"]),
        )],
    ),
    row(
        "M12",
        "a part copied without the source's triple",
        (Suite, Unk),
        &[case(
            OF_K2,
            part_copy(&[FROM, A, K2, M2]),
            NEED_KEY,
            OVH_MISSING,
        )],
    ),
    row(
        "M13",
        "a part copied without the target's triple",
        (Suite, Unk),
        &[case(
            OF_K2,
            part_copy(&[FROM, SA, SK1, SM1]),
            MPU_NEED,
            OVH_CLEAR,
        )],
    ),
    row(
        "M14",
        "a part copied under another target key",
        (Suite, Unk),
        &[case(
            OF_K2,
            part_copy(&[FROM, SA, SK1, SM1, A, K1, M1]),
            PARAMS_DIFFER,
            OVH_WRONG,
        )],
    ),
    row(
        "M15",
        "a part copied with a wrong source key",
        (Unk, Unk),
        &[case(
            OF_K2,
            part_copy(&[FROM, SA, SK2, SM2, A, K2, M2]),
            WRONG_KEY,
            OVH_WRONG,
        )],
    ),
    row(
        "M16",
        "a range of the source as a part",
        (Der, Unk),
        &[same(
            OF_K2,
            part_copy(&[FROM, RANGE, SA, SK1, SM1, A, K2, M2]),
            served(200).holding(&["<CopyPartResult"]),
        )],
    ),
    row(
        "M17",
        "complete without a header, no checksum declared",
        (Obs, Peer),
        &[same(Part(T1, T1), complete(NONE), DONE)],
    ),
    row(
        "M18",
        "complete without a header, a checksum declared",
        (Suite, Unk),
        &[case(SUMMED, complete_summed(NONE), MPU_NEED, DONE)],
    ),
    row(
        "M19",
        "complete with another key, a checksum declared",
        (Suite, Peer),
        &[case(SUMMED, complete_summed(T2), PARAMS_DIFFER, DONE)],
    ),
    row(
        "M20",
        "complete with the triple",
        (Doc, Peer),
        &[
            same(
                Part(T1, T1),
                complete(T1),
                served(200).showing(NO_ECHO).read_by(BY_K1),
            ),
            same(SUMMED, complete_summed(T1), DONE),
        ],
    ),
    row(
        "M21",
        "complete with another key, no checksum declared",
        (Unk, Peer),
        &[case(Part(T1, T1), complete(T2), PARAMS_DIFFER, DONE)],
    ),
    row(
        "M22",
        "complete where a bucket policy asks for the header",
        (Doc, Unk),
        &[
            same(PartThenDemanding(T1, T1), complete(NONE), DENIED_BY_POLICY),
            same(PartThenDemanding(T1, T1), complete(T1), DONE),
        ],
    ),
    row(
        "M23",
        "list the parts without a header",
        (Obs, Peer),
        &[same(Part(T1, T1), parts(NONE), LISTED)],
    ),
    row(
        "M24",
        "list the parts without a header, a checksum declared",
        (Doc, Unk),
        &[same(SUMMED, parts(NONE), LISTED)],
    ),
    row(
        "M25",
        "read the result without a header",
        (Obs, Peer),
        &[case(Completed(T1, T1), get(NONE), NEED_KEY, OVH_MISSING)],
    ),
    row(
        "M26",
        "read the result with the triple",
        (Obs, Peer),
        &[same(
            Completed(T1, T1),
            get(&[A, K1, M1, ("x-amz-checksum-mode", "ENABLED")]),
            served(200)
                .showing(&[("etag", Some("{etag}")), ("x-amz-checksum-crc64nvme", None)])
                .with_body(TEXT),
        )],
    ),
    row(
        "M27",
        "list the uploads",
        (Der, Peer),
        &[same(
            OF_K1,
            on_bucket("GET", &[("uploads", "")]),
            served(200).holding(&["<UploadId>{upload}</UploadId>", "<Key>o</Key>"]),
        )],
    ),
];
