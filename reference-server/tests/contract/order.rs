//! Section 4: which of several faults is answered. The rows are numbered here; the contract has them
//! in prose.

use super::client::ALGORITHM;
use super::table::Evidence::{Der, Obs, Peer, Rep, Suite, Unk};
use super::table::Given::{Blocked, Completed, Nothing, Object, Part, Source, Upload};
use super::table::Sent::{Changed, Covering, Plain};
use super::table::{Given, Pair, Request, Row, TEXT, case, copy, get, put, row, same, served};
use super::words::*;

const SEALED: Given = Object(T1, TEXT);
const PLAIN: Given = Object(NONE, TEXT);
const OTHER: Pair = ("if-match", "\"00000000000000000000000000000000\"");
const BEYOND: Pair = ("range", "bytes=99-");
const WRONG_MD5: Pair = ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");

const fn part(headers: &'static [Pair]) -> Request {
    put(headers).query(&[("partNumber", "1"), ("uploadId", "{upload}")])
}

pub const ROWS: &[Row] = &[
    row(
        "W1",
        "the signature before the triple",
        (Obs, Unk),
        &[
            same(
                Nothing,
                put(&[A, K1, M2]).sent(Changed(ALGORITHM, "KMS")),
                BAD_SIG,
            ),
            same(Nothing, put(&[KMS, K10, M1]).sent(Covering(&[])), UNSIGNED),
        ],
    ),
    row(
        "W2",
        "unsigned headers before the transport, the transport before the triple",
        (Unk, Unk),
        &[same(Nothing, put(&[KMS, K10]).sent(Plain), TLS)],
    ),
    row(
        "W3",
        "the block of SSE-C before two methods and before the triple",
        (Rep, Unk),
        &[
            same(Blocked, put(&[KMS, K10, M1, SSE_S3]), BLOCKED),
            same(Blocked, put(&[M1]), BLOCKED),
        ],
    ),
    row(
        "W4",
        "two methods before the algorithm's value, and before what is missing",
        (Obs, Peer),
        &[
            case(
                Nothing,
                put(&[KMS, K1, M1, SSE_S3]),
                MIXED.value("AES256"),
                served(200).read_by(BY_K1),
            ),
            case(Nothing, put(&[A, SSE_S3]), MIXED.value("AES256"), OVH_CLEAR),
        ],
    ),
    row(
        "W5",
        "what is missing before the algorithm's value",
        (Unk, Peer),
        &[
            case(Nothing, put(&[KMS, M1]), KEY_MISSING, OVH_CLEAR),
            case(
                Nothing,
                put(&[KMS, K1]),
                MD5_MISSING,
                served(200).read_by(BY_K1),
            ),
        ],
    ),
    row(
        "W6",
        "the algorithm's value before the key and the MD5",
        (Unk, Peer),
        &[
            case(
                Nothing,
                put(&[KMS, K10, M1]),
                ALG_INVALID.value("KMS"),
                OVH_KEY,
            ),
            case(
                Nothing,
                put(&[KMS, K1, M2]),
                ALG_INVALID.value("KMS"),
                served(200).read_by(BY_K1),
            ),
        ],
    ),
    row(
        "W7",
        "the MD5 before the key's length",
        (Der, Peer),
        &[case(Nothing, put(&[A, K10, M1]), MD5_MISMATCH, OVH_KEY)],
    ),
    row(
        "W8",
        "the triple before the body",
        (Unk, Unk),
        &[
            case(
                Nothing,
                put(&[A, K1, M2, WRONG_MD5]),
                MD5_MISMATCH,
                BAD_DIGEST,
            ),
            same(Nothing, put(&[A, K1, M1, WRONG_MD5]), BAD_DIGEST),
        ],
    ),
    row(
        "W9",
        "the triple of a part before its upload's key",
        (Suite, Peer),
        &[case(
            Upload(T1),
            part(&[A, K2, M1]),
            MD5_MISMATCH,
            OVH_WRONG,
        )],
    ),
    row(
        "W10",
        "whether the object is there before the triple",
        (Unk, Unk),
        &[
            same(Nothing, get(&[KMS, K10]), NO_SUCH_KEY),
            same(Nothing, copy(&[FROM, SKMS, SK1, SM2]), NO_SUCH_KEY),
        ],
    ),
    row(
        "W11",
        "whether a key applies before the key's value",
        (Rep, Peer),
        &[case(
            PLAIN,
            get(&[KMS, K10, M1]),
            NOT_APPLICABLE,
            served(200).with_body(TEXT),
        )],
    ),
    row(
        "W12",
        "the algorithm's value on a read, also with the right key",
        (Obs, Peer),
        &[case(
            SEALED,
            get(&[KMS, K1, M1, OTHER]),
            ALG_INVALID.value("KMS"),
            PRECONDITION,
        )],
    ),
    row(
        "W13",
        "the key before preconditions and ranges",
        (Unk, Unk),
        &[
            case(SEALED, get(&[OTHER]), NEED_KEY, OVH_MISSING),
            case(SEALED, get(&[A, K2, M2, OTHER]), WRONG_KEY, OVH_WRONG),
            case(SEALED, get(&[A, K2, M2, BEYOND]), WRONG_KEY, OVH_WRONG),
            same(SEALED, get(&[A, K1, M1, OTHER, BEYOND]), PRECONDITION),
            same(SEALED, get(&[A, K1, M1, BEYOND]), RANGE),
        ],
    ),
    row(
        "W14",
        "the key before the part number",
        (Unk, Unk),
        &[
            case(
                Completed(T1, T1),
                get(T2).query(&[("partNumber", "2")]),
                WRONG_KEY,
                OVH_WRONG,
            ),
            same(
                Completed(T1, T1),
                get(T1).query(&[("partNumber", "2")]),
                PART_RANGE,
            ),
        ],
    ),
    row(
        "W15",
        "the target of a copy before its source",
        (Unk, Unk),
        &[
            case(
                Source(T1),
                copy(&[FROM, SKMS, SK1, SM1, A, K1, M2]),
                MD5_MISMATCH,
                served(200).read_by(BY_K1),
            ),
            case(
                Source(T1),
                copy(&[FROM, SA, SK2, SM2, KMS, K1, M1]),
                ALG_INVALID.value("KMS"),
                OVH_WRONG,
            ),
        ],
    ),
    row(
        "W16",
        "whether the upload is there before the triple and the list",
        (Unk, Unk),
        &[same(
            Part(T1, T1),
            super::table::post(&[A, K10, M10])
                .query(&[("uploadId", "nonsense")])
                .body("no document"),
            NO_SUCH_UPLOAD,
        )],
    ),
];
