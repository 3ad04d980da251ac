//! One name in a bucket that keeps versions, and every version that it must have.

use harness::s3::{Request, operation};

use super::client::{Client, KEPT, Unanswered, elements, text};
use super::worker::{Content, Random, Told};

/// Versions before one of them is removed.
const MANY: usize = 6;

/// A version's content; a delete marker has none.
type Version = Option<Content>;

/// The versions of a name, the newest first.
pub(crate) struct Versions {
    name: String,
    known: Vec<(String, Version)>,
    pending: Option<Pending>,
}

/// An operation that was not answered.
#[derive(Clone, Copy, Debug)]
enum Pending {
    Add(Version),
    Remove(usize),
}

impl Versions {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            known: Vec::new(),
            pending: None,
        }
    }

    /// Adds a version or a delete marker, or removes a version.
    pub(crate) async fn change(
        &mut self,
        client: &Client,
        random: &mut Random,
    ) -> Result<(), Unanswered> {
        let remove = self.known.len() >= MANY || !self.known.is_empty() && random.below(4) == 0;
        if remove {
            let index = random.below(self.known.len() as u64);
            return self.remove(client, usize::try_from(index).unwrap()).await;
        }
        let bucket = client.bucket(KEPT);
        if random.below(4) == 0 {
            let delete = operation::delete_object(&bucket, &self.name);
            return self.add(client, None, delete).await;
        }
        let content = Content {
            seed: random.next(),
            size: [0, 900, 70_000][usize::try_from(random.below(3)).unwrap()],
        };
        let put = operation::put_object(&bucket, &self.name, content.bytes());
        self.add(client, Some(content), put).await
    }

    async fn add(
        &mut self,
        client: &Client,
        version: Version,
        request: Request,
    ) -> Result<(), Unanswered> {
        self.pending = Some(Pending::Add(version));
        let exchange = match version {
            Some(_) => client.send_keyed(request).await?,
            None => client.send(request).await?,
        };
        let well = matches!(exchange.status, 200 | 204);
        assert!(well, "{}", text(&exchange));
        let id = exchange.header("x-amz-version-id").unwrap().to_vec();
        self.known
            .insert(0, (String::from_utf8(id).unwrap(), version));
        self.pending = None;
        Ok(())
    }

    async fn remove(&mut self, client: &Client, index: usize) -> Result<(), Unanswered> {
        self.pending = Some(Pending::Remove(index));
        let bucket = client.bucket(KEPT);
        let delete = operation::delete_object(&bucket, &self.name)
            .with_query("versionId", &self.known[index].0);
        let exchange = client.send(delete).await?;
        assert_eq!(exchange.status, 204, "{}", text(&exchange));
        self.known.remove(index);
        self.pending = None;
        Ok(())
    }

    /// The ids that the server lists, the newest first, and which of them are delete markers.
    async fn listed(&self, client: &Client) -> Vec<(String, bool)> {
        let list = Request::new("GET", &client.bucket(KEPT), "")
            .with_query("prefix", &self.name)
            .with_query("versions", "");
        let exchange = client.send(list).await.unwrap();
        let text = text(&exchange);
        assert_eq!(exchange.status, 200, "{text}");
        // Versions and markers stand in the order of their times, so the text is cut before each.
        let marked = text.replace("<DeleteMarker>", "<Version>marker");
        let entries = elements(&marked, "Version");
        let entries = entries.iter().map(|entry| {
            let id = elements(entry, "VersionId").remove(0);
            (id, entry.starts_with("marker"))
        });
        entries.collect()
    }

    pub(crate) async fn verify(&mut self, client: &Client, told: &mut Told) {
        let listed = self.listed(client).await;
        let ids = |known: &[(String, Version)]| -> Vec<(String, bool)> {
            let pairs = known.iter();
            pairs
                .map(|(id, version)| (id.clone(), version.is_none()))
                .collect()
        };
        let before = ids(&self.known);
        match self.pending.take() {
            Some(Pending::Add(version)) if listed.len() == before.len() + 1 => {
                assert_eq!(listed[1..], before, "{}", self.name);
                assert_eq!(listed[0].1, version.is_none(), "{}", self.name);
                self.known.insert(0, (listed[0].0.clone(), version));
                told.whole += 1;
            }
            Some(Pending::Remove(index)) if listed.len() + 1 == before.len() => {
                self.known.remove(index);
                assert_eq!(listed, ids(&self.known), "{}", self.name);
                told.whole += 1;
            }
            pending => {
                assert_eq!(listed, before, "{}", self.name);
                told.absent += u64::from(pending.is_some());
            }
        }
        for (id, version) in &self.known {
            let Some(content) = version else {
                continue;
            };
            let get =
                operation::get_object(&client.bucket(KEPT), &self.name).with_query("versionId", id);
            let exchange = client.send_keyed(get).await.unwrap();
            assert_eq!(exchange.status, 200, "{}", text(&exchange));
            assert!(exchange.body == content.bytes(), "{} {id}", self.name);
            told.read += 1;
        }
    }

    pub(crate) async fn remove_all(&mut self, client: &Client) {
        while !self.known.is_empty() {
            self.remove(client, 0).await.unwrap();
        }
    }
}
