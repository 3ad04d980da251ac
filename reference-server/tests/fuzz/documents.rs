//! XML that clients send, and forms of browsers.

use super::client::form::{Form, form_bytes};
use super::client::upload::{create, etag, part};
use super::client::{Ask, T1};
use super::ground::{Ground, wire_lines, with_body};
use super::mutation::{Mutator, Seed, corpus};

super::target!(
    deletions,
    deletions_long,
    "batches of deletions",
    100,
    delete
);
super::target!(
    completions,
    completions_long,
    "lists of parts",
    100,
    complete
);
super::target!(rules, rules_long, "CORS rules", 100, cors);
super::target!(forms, forms_long, "forms", 120, form);

/// A seed's text, or every eighth time the text as it is.
fn made(mutator: &mut Mutator, round: u64, text: &str, donors: &[Seed]) -> Vec<u8> {
    if round.is_multiple_of(8) {
        text.as_bytes().to_vec()
    } else {
        mutator.mutated(text.as_bytes(), donors)
    }
}

async fn delete(seed: u64, rounds: u64) -> (u64, u64) {
    let mut ground = Ground::new().await;
    let mut mutator = Mutator::new(seed);
    let seeds = corpus("delete");
    for round in 0..rounds {
        for path in ["/bucket/one", "/bucket/two"] {
            if round == 0 || !ground.has(path).await {
                ground.put(path, b"to be deleted").await;
            }
        }
        let text = seeds[mutator.below(seeds.len())].text();
        let sent = made(&mut mutator, round, text, &seeds);
        let ask = Ask::new("POST", "/bucket")
            .query(&[("delete", "")])
            .body(&sent);
        let bytes = ground.served.signed(&ask);
        let reply = ground.fire(&bytes, false).await;
        if round.is_multiple_of(8) {
            reply.is(200);
        }
    }
    ground.close().await
}

/// Whatever list completes the upload, the object is the one part that there is.
async fn complete(seed: u64, rounds: u64) -> (u64, u64) {
    const PATH: &str = "/bucket/uploaded";
    const BODY: &[u8] = b"the only part";
    let mut ground = Ground::new().await;
    let mut mutator = Mutator::new(seed);
    let seeds = corpus("complete");
    let mut open: Option<(String, String)> = None;
    for round in 0..rounds {
        let (id, tag) = match open.take() {
            Some(open) => open,
            None => {
                let id = create(&ground.served, PATH, &[]).await;
                let sent = part(PATH, (&id, "1"), &[], BODY);
                let tag = etag(&ground.served.send_plain(&sent).await);
                ground.settle().await;
                (id, tag)
            }
        };
        let text = seeds[mutator.below(seeds.len())]
            .text()
            .replace("{etag}", &tag);
        let sent = made(&mut mutator, round, &text, &seeds);
        let ask = Ask::new("POST", PATH)
            .query(&[("uploadId", &id)])
            .body(&sent);
        let bytes = ground.served.signed(&ask);
        let reply = ground.fire(&bytes, false).await;
        if round.is_multiple_of(8) {
            reply.is(200);
        }
        if reply.status == 200 {
            let read = ground.served.send_plain(&Ask::new("GET", PATH)).await;
            assert_eq!(read.is(200).body, BODY, "{}", sent.escape_ascii());
        } else {
            open = Some((id, tag));
        }
    }
    ground.close().await
}

async fn cors(seed: u64, rounds: u64) -> (u64, u64) {
    let mut ground = Ground::new().await;
    let mut mutator = Mutator::new(seed);
    let seeds = corpus("cors");
    for round in 0..rounds {
        let text = seeds[mutator.below(seeds.len())].text();
        let sent = made(&mut mutator, round, text, &seeds);
        let ask = Ask::new("PUT", "/bucket")
            .query(&[("cors", "")])
            .body(&sent);
        let bytes = ground.served.signed(&ask);
        let reply = ground.fire(&bytes, false).await;
        if round.is_multiple_of(8) {
            reply.is(200);
        }
        let read = Ask::new("GET", "/bucket").query(&[("cors", "")]);
        ground.served.send_plain(&read).await.is(200);
    }
    ground.close().await
}

/// The policy names the object: whatever is taken is stored under that name alone, and under the
/// customer key where the policy demands it.
async fn form(seed: u64, rounds: u64) -> (u64, u64) {
    let mut ground = Ground::new().await;
    let mut mutator = Mutator::new(seed);
    let seeds = corpus("form");
    for round in 0..rounds {
        let seed = &seeds[mutator.below(seeds.len())];
        let keyed = seed.name == "customer_key";
        let mut form = Form::new("formed", b"");
        if keyed {
            form = form.with(&T1);
        }
        let fields = ground.served.form_fields(&form);
        let text = fields
            .iter()
            .fold(seed.text().to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            });
        let sent = made(&mut mutator, round, &wire_lines(&text), &seeds);
        let bytes = with_body(&form_bytes(&form, &[]), &sent);
        let reply = ground.fire(&bytes, true).await;
        if round.is_multiple_of(8) {
            reply.is(204);
        }
        if reply.status < 300 {
            let get = Ask::new("GET", "/bucket/formed");
            let with_key = ground.served.send(&get.clone().with(&T1)).await;
            let without = ground.served.send(&get).await;
            assert_eq!(with_key.status == 200, keyed, "{}", sent.escape_ascii());
            assert_eq!(without.status == 200, !keyed, "{}", sent.escape_ascii());
            let list = Ask::new("GET", "/bucket").query(&[("list-type", "2")]);
            let count = ground.served.send(&list).await.element("KeyCount");
            assert_eq!(count.as_deref(), Some("2"), "{}", sent.escape_ascii());
        }
    }
    ground.close().await
}

impl Ground {
    async fn has(&self, path: &str) -> bool {
        let head = Ask::new("GET", path);
        self.served.send_plain(&head).await.status == 200
    }
}
