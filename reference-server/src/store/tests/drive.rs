//! A model of a disk: it sees every change that a store makes, and works out what the loss of power
//! at any moment may leave behind.
//!
//! Nothing is durable but what was synced: each write since may be there, gone, or torn by sectors,
//! in any combination, and so may each new name, removal and rename, of files and directories.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::store::disk::{Change, Witness};

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// SplitMix64: an image repeats from its seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}

/// What a writer knew at a moment.
#[derive(Clone, Debug)]
pub(super) enum Mark<S> {
    /// It asked for this state of a name.
    Asked(&'static str, S),
    /// It was told that the state is durable.
    Told(&'static str, S),
}

/// Paths are relative to the data directory.
#[derive(Clone, Debug)]
pub(super) enum Event<S> {
    Create(PathBuf),
    Write(PathBuf, Pending),
    SyncBegun(PathBuf),
    SyncDone(PathBuf),
    MakeDirectory(PathBuf),
    NamesBegun(PathBuf),
    NamesDone(PathBuf),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
    Mark(Mark<S>),
}

/// A change of a file that may not be durable yet.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    At(usize, Vec<u8>),
    Length(usize),
}

/// Sees everything and refuses nothing.
#[derive(Debug)]
pub(super) struct Recorder<S> {
    root: PathBuf,
    events: Mutex<Vec<Event<S>>>,
}

impl<S: Clone> Recorder<S> {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            events: Mutex::default(),
        }
    }

    pub(super) fn mark(&self, mark: Mark<S>) {
        self.push(Event::Mark(mark));
    }

    pub(super) fn events(&self) -> Vec<Event<S>> {
        self.events.lock().unwrap().clone()
    }

    fn push(&self, event: Event<S>) {
        self.events.lock().unwrap().push(event);
    }

    fn below(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap().to_owned()
    }
}

impl<S: Clone + std::fmt::Debug + Send> Witness for Recorder<S> {
    fn before(&self, change: Change<'_>) -> io::Result<()> {
        let size = |number: u64| usize::try_from(number).unwrap();
        self.push(match change {
            Change::Create(path) => Event::Create(self.below(path)),
            Change::Write {
                path,
                offset,
                bytes,
            } => Event::Write(self.below(path), Pending::At(size(offset), bytes.to_vec())),
            Change::SetLength(path, length) => {
                Event::Write(self.below(path), Pending::Length(size(length)))
            }
            Change::Sync(path) => Event::SyncBegun(self.below(path)),
            Change::MakeDirectory(path) => Event::MakeDirectory(self.below(path)),
            Change::SyncDirectory(path) => Event::NamesBegun(self.below(path)),
            Change::Remove(path) => Event::Remove(self.below(path)),
            Change::Rename { from, to } => Event::Rename(self.below(from), self.below(to)),
        });
        Ok(())
    }

    fn after(&self, change: Change<'_>) {
        match change {
            Change::Sync(path) => self.push(Event::SyncDone(self.below(path))),
            Change::SyncDirectory(path) => self.push(Event::NamesDone(self.below(path))),
            Change::Create(_)
            | Change::Write { .. }
            | Change::SetLength(..)
            | Change::MakeDirectory(_)
            | Change::Remove(_)
            | Change::Rename { .. } => {}
        }
    }
}

/// Which syncs a disk only claims to have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lies {
    /// Of files other than the metadata.
    pub(super) files: bool,
    /// Of the metadata.
    pub(super) metadata: bool,
    /// Of directories.
    pub(super) directories: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(usize),
    Directory,
}

#[derive(Clone, Debug)]
enum Name {
    Link(PathBuf, Node),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, Node),
}

#[derive(Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Pending>,
    /// How many of them the sync that goes on covers.
    begun: usize,
}

#[derive(Default)]
struct Names {
    pending: Vec<Name>,
    begun: usize,
}

/// The disk after some events.
#[derive(Default)]
pub(super) struct Drive {
    files: Vec<File>,
    now: HashMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
    names: BTreeMap<PathBuf, Names>,
}

impl Drive {
    pub(super) fn after<S>(events: &[Event<S>], lies: Lies) -> Self {
        let mut drive = Self::default();
        for event in events {
            drive.take(event, lies);
        }
        drive
    }

    fn take<S>(&mut self, event: &Event<S>, lies: Lies) {
        match event {
            Event::Create(path) => {
                self.files.push(File::default());
                self.link(path, Node::File(self.files.len() - 1));
            }
            Event::MakeDirectory(path) => self.link(path, Node::Directory),
            Event::Write(path, pending) => self.file(path).pending.push(pending.clone()),
            Event::SyncBegun(path) => {
                let file = self.file(path);
                file.begun = file.pending.len();
            }
            Event::SyncDone(path) => {
                let metadata = path == Path::new("meta.redb");
                if !(if metadata { lies.metadata } else { lies.files }) {
                    let file = self.file(path);
                    for pending in file.pending.drain(..file.begun) {
                        pending.apply(&mut file.durable);
                    }
                }
            }
            Event::NamesBegun(path) => {
                let names = self.names.entry(path.clone()).or_default();
                names.begun = names.pending.len();
            }
            Event::NamesDone(path) => {
                let names = self.names.entry(path.clone()).or_default();
                if !lies.directories {
                    for name in names.pending.drain(..names.begun) {
                        name.apply(&mut self.durable);
                    }
                }
            }
            Event::Remove(path) => {
                self.now.remove(path);
                self.rename(path, Name::Unlink(path.clone()));
            }
            Event::Rename(from, to) => {
                let node = self.now.remove(from).unwrap();
                self.now.insert(to.clone(), node);
                self.rename(to, Name::Rename(from.clone(), to.clone(), node));
            }
            Event::Mark(_) => {}
        }
    }

    fn link(&mut self, path: &Path, node: Node) {
        self.now.insert(path.to_owned(), node);
        self.rename(path, Name::Link(path.to_owned(), node));
    }

    fn rename(&mut self, path: &Path, name: Name) {
        let above = path.parent().unwrap().to_owned();
        self.names.entry(above).or_default().pending.push(name);
    }

    fn file(&mut self, path: &Path) -> &mut File {
        let Some(Node::File(index)) = self.now.get(path) else {
            panic!("{} is no file", path.display());
        };
        &mut self.files[*index]
    }

    /// Writes below `root` what the loss of power may leave.
    pub(super) fn lose_power(&self, root: &Path, random: &mut Random) {
        let mut left = self.durable.clone();
        for names in self.names.values() {
            let keep = random.below(3);
            for name in &names.pending {
                // All, none, or any of them.
                if keep == 0 || keep == 1 && random.below(2) == 0 {
                    name.apply(&mut left);
                }
            }
        }
        for (path, node) in &left {
            let above = path.parent().unwrap();
            if !root.join(above).is_dir() {
                continue; // its directory is gone, and it with that
            }
            match node {
                Node::Directory => fs::create_dir(root.join(path)).unwrap(),
                Node::File(index) => {
                    let bytes = self.files[*index].left(random);
                    fs::write(root.join(path), bytes).unwrap();
                }
            }
        }
    }
}

impl File {
    fn left(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for pending in &self.pending {
            match random.below(3) {
                0 => {}
                1 => pending.apply(&mut bytes),
                _ => pending.tear(&mut bytes, random),
            }
        }
        bytes
    }
}

impl Pending {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Length(length) => file.resize(*length, 0),
            Self::At(offset, bytes) => write(file, *offset, bytes),
        }
    }

    /// Some sectors of it.
    fn tear(&self, file: &mut Vec<u8>, random: &mut Random) {
        let Self::At(offset, bytes) = self else {
            return;
        };
        let (mut at, mut rest) = (*offset, bytes.as_slice());
        while !rest.is_empty() {
            let (sector, more) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            if random.below(2) == 0 {
                write(file, at, sector);
            }
            at += sector.len();
            rest = more;
        }
    }
}

fn write(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

impl Name {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Link(path, node) => drop(names.insert(path.clone(), *node)),
            Self::Unlink(path) => drop(names.remove(path)),
            Self::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}
