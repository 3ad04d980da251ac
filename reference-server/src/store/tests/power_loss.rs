//! The loss of power at any moment, on the disk of `drive`: what was acknowledged is there and right,
//! what was not is whole or absent, and the store goes on.

use std::collections::HashMap;
use std::sync::Arc;

use super::drive::{Drive, Event, Lies, Mark, Random, Recorder};
use super::uploads::completion;
use super::*;

/// The body of a name, by the seed and size it was made of; none where there is no object.
type State = Option<(u64, usize)>;

/// The names of three writers that work at the same time.
const NAMES: [[&str; 2]; 3] = [["a/1", "a/2"], ["b/1", "b/2"], ["c/1", "c/2"]];

/// Stands for the bucket among the names.
const THE_BUCKET: &str = "the bucket";

fn content((seed, size): (u64, usize)) -> Vec<u8> {
    let mut words = Random(seed);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend(words.next().to_be_bytes());
    }
    bytes.truncate(size);
    bytes
}

struct Writer {
    store: Store,
    recorder: Arc<Recorder<State>>,
    random: Random,
    names: [&'static str; 2],
}

impl Writer {
    async fn work(mut self, operations: usize) {
        for _ in 0..operations {
            let name = self.names[self.random.below(2)];
            let sizes = [0, 900, 65_536, 70_000, 200_000];
            let state = (self.random.next(), sizes[self.random.below(5)]);
            match self.random.below(8) {
                0..5 => self.put(name, state).await,
                5 => self.upload(name, state).await,
                _ => self.delete(name).await,
            }
        }
    }

    fn asked(&self, name: &'static str, state: State) {
        self.recorder.mark(Mark::Asked(name, state));
    }

    fn told(&self, name: &'static str, state: State) {
        self.recorder.mark(Mark::Told(name, state));
    }

    async fn put(&self, name: &'static str, state: (u64, usize)) {
        self.asked(name, Some(state));
        write(&self.store, name, &content(state)).await.unwrap();
        self.told(name, Some(state));
    }

    async fn delete(&self, name: &'static str) {
        self.asked(name, None);
        self.store.delete(BUCKET, name, None).await.unwrap();
        self.told(name, None);
    }

    async fn upload(&self, name: &'static str, state: (u64, usize)) {
        let key = key(1);
        let new = NewUpload {
            bucket: BUCKET,
            object: name,
            holder: Holder::Customer(&key),
            headers: HeaderMap::new(),
            tags: ObjectTags::new(),
            checksum: None,
        };
        let id = self.store.create_upload(new).await.unwrap();
        let upload = self.store.look_up_upload(BUCKET, name, &id).await.unwrap();
        let access = upload.prove(Holder::Customer(&key)).unwrap();
        let number = PartNumber::new(1).unwrap();
        let mut part = upload.begin_part(&access, number).await.unwrap();
        part.write(Bytes::from(content(state))).await.unwrap();
        let part = part.commit(Finish::default()).await.unwrap();
        self.asked(name, Some(state));
        let completed = upload.complete(None, completion(&[(1, part.etag)])).await;
        completed.unwrap();
        self.told(name, Some(state));
    }
}

async fn write(store: &Store, name: &str, body: &[u8]) -> Result<(), StoreError> {
    let key = key(1);
    let mut writer = store
        .begin(new_object(name, Holder::Customer(&key)))
        .await?;
    writer.write(Bytes::copy_from_slice(body)).await?;
    writer.commit(Finish::default()).await.map(drop)
}

/// What a store of two lives did to its disk, from its first start.
async fn record(seed: u64) -> Vec<Event<State>> {
    let directory = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::new(directory.path()));
    let mut random = Random(seed);
    for life in 0..2 {
        let disk = Disk::watched(Arc::<Recorder<State>>::clone(&recorder));
        let store = Store::open_on(disk, &settings(&directory), 0).unwrap();
        if life == 0 {
            recorder.mark(Mark::Asked(THE_BUCKET, None));
            store.create_bucket(BUCKET, SsecUse::Allowed).await.unwrap();
            recorder.mark(Mark::Told(THE_BUCKET, None));
        }
        let [a, b, c] = NAMES.map(|names| {
            let writer = Writer {
                store: store.clone(),
                recorder: Arc::clone(&recorder),
                random: Random(random.next()),
                names,
            };
            writer.work(5)
        });
        tokio::join!(a, b, c);
    }
    recorder.events()
}

/// What a name may hold after some events.
#[derive(Clone, Debug, Default)]
struct Known {
    told: State,
    asked: Option<State>,
}

fn known(events: &[Event<State>]) -> HashMap<&'static str, Known> {
    let mut known: HashMap<_, Known> = HashMap::new();
    for event in events {
        let Event::Mark(mark) = event else {
            continue;
        };
        match mark {
            Mark::Asked(name, state) => known.entry(*name).or_default().asked = Some(*state),
            Mark::Told(name, state) => {
                let told = Known {
                    told: *state,
                    asked: None,
                };
                known.insert(*name, told);
            }
        }
    }
    known
}

/// Starts a store on what is left, and holds it against what was known.
async fn start(directory: &TempDir, known: HashMap<&'static str, Known>) -> Result<(), String> {
    let store = open(directory).map_err(|error| format!("it does not start: {error}"))?;
    let bucket = known.get(THE_BUCKET);
    match store.bucket(BUCKET).await {
        Err(StoreError::NoSuchBucket) if bucket.is_none_or(|known| known.asked.is_some()) => {
            return Ok(());
        }
        found => found.map_err(|error| format!("the bucket: {error}"))?,
    };
    for name in NAMES.iter().flatten() {
        let known = known.get(name).cloned().unwrap_or_default();
        let found = body_of(&store, name)
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        let may = [Some(known.told), known.asked].into_iter().flatten();
        let right = may.into_iter().any(|state| found == state.map(content));
        if !right {
            let size = found.map(|body| body.len());
            return Err(format!("{name} has {size:?} bytes: {known:?}"));
        }
    }
    write(&store, "after", b"it goes on")
        .await
        .map_err(|error| format!("it does not go on: {error}"))?;
    let after = body_of(&store, "after").await;
    if after != Ok(Some(b"it goes on".to_vec())) {
        return Err(format!("what was written afterwards: {after:?}"));
    }
    drop(store);
    let mut findings = Vec::new();
    scrub(&settings(directory), &mut |finding| {
        findings.push(finding.to_string())
    })
    .map_err(|error| format!("it cannot be scrubbed: {error}"))?;
    if findings.is_empty() {
        Ok(())
    } else {
        Err(findings.join("; "))
    }
}

async fn body_of(store: &Store, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(stored) = store.look_up(BUCKET, name, None).await?.object() else {
        return Ok(None);
    };
    let access = stored
        .prove(Holder::Customer(&key(1)))
        .map_err(|WrongKey| StoreError::Damaged)?;
    read(&stored, &access, 0..stored.size()).await.map(Some)
}

/// Loses power `images` times in each of `recordings` lives; what went wrong, by seed.
async fn lose_power(recordings: u64, images: u64, lies: Lies) -> Vec<String> {
    let mut wrong = Vec::new();
    for recording in 0..recordings {
        let events = record(recording).await;
        let marks: Vec<usize> = (0..events.len())
            .filter(|index| matches!(events[*index], Event::Mark(Mark::Told(..))))
            .collect();
        for image in 0..images {
            let mut random = Random(recording << 32 | image);
            // Anywhere, in the first start, or just when somebody was told.
            let moment = match image % 4 {
                0 | 2 => random.below(events.len() + 1),
                1 => random.below(marks[0]),
                _ => marks[random.below(marks.len())] + 1,
            };
            let events = &events[..moment];
            let directory = tempfile::tempdir().unwrap();
            Drive::after(events, lies).lose_power(directory.path(), &mut random);
            let known = known(events);
            // A panic is as bad as a refusal.
            let started = tokio::spawn(async move { start(&directory, known).await }).await;
            let started = started.unwrap_or_else(|error| Err(error.to_string()));
            if let Err(why) = started {
                wrong.push(format!(
                    "recording {recording}, image {image}, after {moment}: {why}"
                ));
            }
        }
    }
    wrong
}

#[tokio::test]
async fn power_is_lost_and_nothing_that_was_acknowledged() {
    let wrong = lose_power(4, 16, Lies::default()).await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("hardening | power loss | 64 | 0 | – | 0 |");
}

#[tokio::test]
#[ignore = "long form: a thousand seeds, some minutes"]
async fn power_is_lost_a_thousand_times_and_nothing_that_was_acknowledged() {
    let wrong = lose_power(25, 40, Lies::default()).await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("hardening | power loss | 1000 | 0 | – | 0 |");
}

/// The control: on a disk that only claims to sync, the same test finds losses, wherever it lies.
#[tokio::test]
async fn a_disk_that_lies_about_its_syncs_is_noticed() {
    let honest = Lies::default();
    let files = Lies {
        files: true,
        ..honest
    };
    let metadata = Lies {
        metadata: true,
        ..honest
    };
    let directories = Lies {
        directories: true,
        ..honest
    };
    for (what, lies) in [
        ("files", files),
        ("the database", metadata),
        ("directories", directories),
    ] {
        let noticed = lose_power(2, 16, lies).await.len();
        println!(
            "hardening | control: power loss, of a disk that only claims to sync {what} | 32 | {noticed} | – | – |"
        );
        assert!(noticed > 0, "{what}");
    }
}
