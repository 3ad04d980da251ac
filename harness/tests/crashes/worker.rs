//! A client that changes objects of its own and knows what must be there.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use harness::s3::operation;

use super::client::{Client, PLAIN, Unanswered, elements, text};
use super::versions::Versions;

/// Names of one worker in the bucket without versions.
const NAMES: u64 = 3;

const MIB: usize = 1 << 20;

/// SplitMix64: a run repeats from its seed, but for the moment of each kill.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) kills: u32,
    pub(crate) acknowledged: u64,
    /// Operations without an answer that were done all the same.
    pub(crate) whole: u64,
    /// Those that were not.
    pub(crate) absent: u64,
    pub(crate) read: u64,
    pub(crate) swept: usize,
}

impl Told {
    pub(crate) fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.whole += other.whole;
        self.absent += other.absent;
        self.read += other.read;
    }
}

/// A body by what it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) seed: u64,
    pub(crate) size: usize,
}

impl Content {
    pub(crate) fn bytes(self) -> Bytes {
        let mut words = Random(self.seed);
        let mut bytes = Vec::with_capacity(self.size + 8);
        while bytes.len() < self.size {
            bytes.extend(words.next().to_be_bytes());
        }
        bytes.truncate(self.size);
        Bytes::from(bytes)
    }
}

/// What a name may hold.
#[derive(Clone, Debug, Default)]
struct Known {
    now: Option<Content>,
    /// An operation that was not answered, and what it makes of the name.
    pending: Option<Pending>,
}

#[derive(Clone, Debug)]
struct Pending {
    then: Option<Content>,
    /// The upload that it completes.
    upload: Option<String>,
}

pub(crate) struct Worker {
    index: u64,
    random: Random,
    known: Vec<Known>,
    versions: Versions,
    pub(crate) told: Told,
}

impl Worker {
    pub(crate) fn new(index: u64, seed: u64) -> Self {
        Self {
            index,
            random: Random(seed),
            known: (0..NAMES).map(|_| Known::default()).collect(),
            versions: Versions::new(format!("w{index}/versions")),
            told: Told::default(),
        }
    }

    fn name(&self, number: usize) -> String {
        format!("w{}/{number}", self.index)
    }

    /// The names that can be read.
    pub(crate) fn names(&self) -> Vec<String> {
        let held = self.known.iter().enumerate();
        held.filter(|(_, known)| known.now.is_some())
            .map(|(number, _)| self.name(number))
            .collect()
    }

    /// Changes objects until the server does not answer any more; counts what is acknowledged.
    pub(crate) async fn work(&mut self, client: &Client, done: &AtomicU64) {
        while self.operation(client).await.is_ok() {
            self.told.acknowledged += 1;
            done.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn operation(&mut self, client: &Client) -> Result<(), Unanswered> {
        let number = usize::try_from(self.random.below(NAMES)).unwrap();
        match self.random.below(10) {
            0..4 => self.put(client, number).await,
            4 => self.delete(client, number).await,
            5 => self.copy(client, number).await,
            6..8 => self.upload(client, number).await,
            _ => self.versions.change(client, &mut self.random).await,
        }
    }

    fn content(&mut self) -> Content {
        let sizes = [0, 1, 700, 5_000, 65_536, 65_537, 400_000];
        let choice = usize::try_from(self.random.below(7)).unwrap();
        Content {
            seed: self.random.next(),
            size: sizes[choice],
        }
    }

    pub(crate) async fn put(&mut self, client: &Client, number: usize) -> Result<(), Unanswered> {
        let content = self.content();
        let name = self.name(number);
        let put = operation::put_object(&client.bucket(PLAIN), &name, content.bytes());
        self.change(client, number, Some(content), put, true).await
    }

    async fn delete(&mut self, client: &Client, number: usize) -> Result<(), Unanswered> {
        let delete = operation::delete_object(&client.bucket(PLAIN), &self.name(number));
        self.change(client, number, None, delete, false).await
    }

    /// Copies what another name holds; if it holds nothing, something is put instead.
    async fn copy(&mut self, client: &Client, number: usize) -> Result<(), Unanswered> {
        let source = (number + 1) % self.known.len();
        let Some(content) = self.known[source].now else {
            return self.put(client, number).await;
        };
        let bucket = client.bucket(PLAIN);
        let from = operation::copy_source(&bucket, &self.name(source));
        let copy = operation::copy_object(&bucket, &self.name(number), &from);
        let copy = client.opening_source(copy);
        self.change(client, number, Some(content), copy, true).await
    }

    /// One request that makes `then` of a name.
    async fn change(
        &mut self,
        client: &Client,
        number: usize,
        then: Option<Content>,
        request: harness::s3::Request,
        keyed: bool,
    ) -> Result<(), Unanswered> {
        let pending = Pending { then, upload: None };
        self.known[number].pending = Some(pending);
        let exchange = if keyed {
            client.send_keyed(request).await?
        } else {
            client.send(request).await?
        };
        let well = matches!(exchange.status, 200 | 204);
        assert!(well, "{}", text(&exchange));
        self.known[number] = Known {
            now: then,
            pending: None,
        };
        Ok(())
    }

    /// One small part, or a large one and a small one.
    async fn upload(&mut self, client: &Client, number: usize) -> Result<(), Unanswered> {
        let (bucket, name) = (client.bucket(PLAIN), self.name(number));
        let created = client
            .send_keyed(operation::create_upload(&bucket, &name))
            .await?;
        assert_eq!(created.status, 200, "{}", text(&created));
        let id = elements(&text(&created), "UploadId").remove(0);
        let mut content = self.content();
        // So long that no two bodies are alike: which of them is there tells whether it was completed.
        content.size = content.size.max(700);
        if self.random.below(6) == 0 {
            content.size += 5 * MIB;
        }
        let whole = content.bytes();
        let (first, last) = whole.split_at(if content.size >= 5 * MIB { 5 * MIB } else { 0 });
        let mut parts = Vec::new();
        for (part, body) in [(1, first), (2, last)] {
            if part == 1 && body.is_empty() {
                continue;
            }
            let body = Bytes::copy_from_slice(body);
            let put = operation::upload_part(&bucket, &name, &id, part, body);
            let put = client.send_keyed(put).await?;
            assert_eq!(put.status, 200, "{}", text(&put));
            let tag = put.header("etag").unwrap().to_vec();
            parts.push((part, String::from_utf8(tag).unwrap()));
        }
        self.known[number].pending = Some(Pending {
            then: Some(content),
            upload: Some(id.clone()),
        });
        let complete = operation::complete_upload(&bucket, &name, &id, &parts);
        let completed = client.send(complete).await?;
        assert_eq!(completed.status, 200, "{}", text(&completed));
        self.known[number] = Known {
            now: Some(content),
            pending: None,
        };
        Ok(())
    }

    /// Reads everything back. `uploads` are those that the server says go on.
    pub(crate) async fn verify(&mut self, client: &Client, uploads: &[(String, String)]) {
        for number in 0..self.known.len() {
            let name = self.name(number);
            let found = self.get(client, &name, number).await;
            let known = &mut self.known[number];
            let goes_on = |id: &String| uploads.iter().any(|(_, listed)| listed == id);
            match known.pending.take() {
                None => assert!(found == known.now, "{name}: {found:?}, {:?}", known.now),
                Some(Pending { then, upload }) => {
                    assert!(
                        found == known.now || found == then,
                        "{name}: {found:?} is neither {:?} nor {then:?}",
                        known.now
                    );
                    if let Some(id) = upload {
                        // An object and its upload are never there both, nor gone both.
                        assert_eq!(found == then, !goes_on(&id), "{name}: half completed");
                    }
                    if found == then {
                        self.told.whole += 1;
                    } else {
                        self.told.absent += 1;
                    }
                    known.now = found;
                }
            }
        }
        self.versions.verify(client, &mut self.told).await;
    }

    /// Which of the bodies that it may have a name has.
    async fn get(&mut self, client: &Client, name: &str, number: usize) -> Option<Content> {
        let get = operation::get_object(&client.bucket(PLAIN), name);
        let exchange = client.send_keyed(get).await.unwrap();
        if exchange.status == 404 {
            return None;
        }
        assert_eq!(exchange.status, 200, "{name}: {}", text(&exchange));
        self.told.read += 1;
        let known = &self.known[number];
        let then = known.pending.as_ref().and_then(|pending| pending.then);
        let found = [known.now, then].into_iter().flatten();
        let found = found
            .into_iter()
            .find(|content| content.bytes() == exchange.body);
        assert!(found.is_some(), "{name} has a body that nobody wrote");
        found
    }

    pub(crate) async fn remove_all(&mut self, client: &Client) {
        for number in 0..self.known.len() {
            self.delete(client, number).await.unwrap();
        }
        self.versions.remove_all(client).await;
    }
}
