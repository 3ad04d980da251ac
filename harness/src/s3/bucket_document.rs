//! The documents that a bucket keeps: CORS rules and a policy that denies.

use quick_xml::escape::escape;

use super::form::quoted;
use super::operation::{with_document, with_document_of};
use super::request::{Bucket, Request};
use crate::scenario::definition::{CorsRule, Denial};

/// PutBucketCors.
#[must_use]
pub fn put_cors(bucket: &Bucket, rules: &[CorsRule]) -> Request {
    let mut body = String::from("<CORSConfiguration>");
    for rule in rules {
        body.push_str("<CORSRule>");
        let methods: Vec<String> = rule.methods.iter().map(ToString::to_string).collect();
        for (name, texts) in [
            ("AllowedOrigin", &rule.origins),
            ("AllowedMethod", &methods),
            ("AllowedHeader", &rule.headers),
            ("ExposeHeader", &rule.expose),
        ] {
            for text in texts {
                body.push_str(&format!("<{name}>{}</{name}>", escape(text)));
            }
        }
        if let Some(seconds) = rule.max_age {
            body.push_str(&format!("<MaxAgeSeconds>{seconds}</MaxAgeSeconds>"));
        }
        body.push_str("</CORSRule>");
    }
    body.push_str("</CORSConfiguration>");
    with_document(of("PUT", bucket, "cors"), body)
}

/// GetBucketCors, or with `DELETE` DeleteBucketCors.
#[must_use]
pub fn cors(method: &'static str, bucket: &Bucket) -> Request {
    of(method, bucket, "cors")
}

/// PutBucketPolicy.
#[must_use]
pub fn put_policy(bucket: &Bucket, denials: &[Denial]) -> Request {
    let statements: Vec<String> = denials
        .iter()
        .map(|denial| statement(bucket, denial))
        .collect();
    let body = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}",
        statements.join(",")
    );
    with_document_of("application/json", of("PUT", bucket, "policy"), body)
}

/// GetBucketPolicy, or with `DELETE` DeleteBucketPolicy.
#[must_use]
pub fn policy(method: &'static str, bucket: &Bucket) -> Request {
    of(method, bucket, "policy")
}

fn of(method: &'static str, bucket: &Bucket, query: &str) -> Request {
    Request::new(method, bucket, "").with_query(query, "")
}

fn statement(bucket: &Bucket, denial: &Denial) -> String {
    let conditions: Vec<String> = denial
        .conditions
        .iter()
        .map(|(operator, key, values)| {
            let values = list(values);
            format!("{}:{{{}:{values}}}", quoted(operator), quoted(key))
        })
        .collect();
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!(",\"Condition\":{{{}}}", conditions.join(","))
    };
    let resource = quoted(&format!("arn:aws:s3:::{}/*", bucket.name));
    format!(
        "{{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":{},\"Resource\":{resource}{condition}}}",
        list(&denial.actions)
    )
}

/// One text, or an array of several.
fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_denies_under_all_of_its_conditions() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let denials = [Denial {
            actions: words(&["s3:PutObject"]),
            conditions: vec![
                ("Null".to_owned(), "s3:x".to_owned(), words(&["true"])),
                (
                    "StringLike".to_owned(),
                    "s3:y".to_owned(),
                    words(&["a", "b"]),
                ),
            ],
        }];
        let request = put_policy(&Bucket::of_tests(), &denials);
        let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let wanted = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::b/*",
                "Condition": {"Null": {"s3:x": "true"}, "StringLike": {"s3:y": ["a", "b"]}},
            }],
        });
        assert_eq!(json, wanted);
    }

    #[test]
    fn rules_are_written_in_order_and_escaped() {
        let rule = CorsRule {
            origins: vec!["https://a&b".to_owned()],
            methods: vec!["PUT"],
            max_age: Some(60),
            ..CorsRule::default()
        };
        let request = put_cors(&Bucket::of_tests(), &[rule.clone(), rule]);
        let text = String::from_utf8(request.body.to_vec()).unwrap();
        let one = "<CORSRule><AllowedOrigin>https://a&amp;b</AllowedOrigin>\
            <AllowedMethod>PUT</AllowedMethod><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>";
        assert_eq!(
            text,
            format!("<CORSConfiguration>{one}{one}</CORSConfiguration>")
        );
    }
}
