//! What lies in the memory of another process: bytes that are looked for, and AES-256 key
//! schedules, which give away a data key without knowing it.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use memchr::memmem;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// The longest thing looked for: a whole key schedule.
const OVERLAP: usize = 240;

/// A page that nobody wrote to.
const EMPTY: [u8; 4096] = [0; 4096];

/// How often each thing was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// One number for each needle.
    pub(crate) needles: Vec<usize>,
    /// AES-256 encryption key schedules.
    pub(crate) schedules: usize,
    /// Threads of the process; their stacks were left out.
    pub(crate) threads: usize,
    /// Bytes that were looked through, empty pages left out.
    pub(crate) bytes: usize,
}

/// Looks through all that a process can write to but its threads' stacks, where a frame that was
/// left keeps what it held until another one is laid over it.
///
/// # Errors
/// When the system does not let us.
pub(crate) fn scan(pid: u32, needles: &[&[u8]]) -> std::io::Result<Found> {
    let mut memory = File::open(format!("/proc/{pid}/mem"))?;
    let stacks = stack_pointers(pid)?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mut found = Found {
        needles: vec![0; needles.len()],
        threads: stacks.len(),
        ..Found::default()
    };
    for line in maps.lines() {
        let mut fields = line.split(' ');
        let (range, access) = (fields.next().unwrap(), fields.next().unwrap());
        let (from, to) = range.split_once('-').unwrap();
        let address = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (address(from), address(to));
        let stack = stacks.iter().any(|pointer| (from..to).contains(pointer));
        if access.starts_with("rw") && !stack {
            region(&mut memory, from, to, needles, &mut found);
        }
    }
    Ok(found)
}

/// Where the stacks of all threads are: each must wait in the kernel to show its own.
fn stack_pointers(pid: u32) -> std::io::Result<Vec<u64>> {
    'again: for _ in 0..1000 {
        let mut pointers = Vec::new();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let told = match fs::read_to_string(task?.path().join("syscall")) {
                // It ended meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                told => told?,
            };
            // Number, six arguments, stack pointer, program counter; or `running`.
            let pointer = told.trim().rsplit(' ').nth(1);
            let Some(pointer) = pointer.and_then(|pointer| pointer.strip_prefix("0x")) else {
                std::thread::sleep(Duration::from_millis(10));
                continue 'again;
            };
            pointers.push(u64::from_str_radix(pointer, 16).unwrap());
        }
        return Ok(pointers);
    }
    panic!("the server's threads never rest");
}

fn region(memory: &mut File, from: u64, to: u64, needles: &[&[u8]], found: &mut Found) {
    let mut at = from;
    let mut chunk = vec![0; CHUNK + OVERLAP];
    while at < to {
        let wanted = usize::try_from(to - at).unwrap().min(chunk.len());
        memory.seek(SeekFrom::Start(at)).unwrap();
        // A page that went away meanwhile ends the region.
        let Ok(read) = memory.read(&mut chunk[..wanted]) else {
            return;
        };
        if read == 0 {
            return;
        }
        look(&chunk[..read], needles, found);
        at += if read > CHUNK {
            CHUNK as u64
        } else {
            read as u64
        };
    }
}

fn look(bytes: &[u8], needles: &[&[u8]], found: &mut Found) {
    // What starts in the overlap is found with the next chunk.
    let starts = bytes.len().min(CHUNK);
    for page in (0..starts).step_by(4096) {
        let end = (page + 4096).min(starts);
        if bytes[page..end] == EMPTY[..end - page] {
            continue;
        }
        found.bytes += end - page;
        for (needle, number) in needles.iter().zip(&mut found.needles) {
            let reach = (end + needle.len() - 1).min(bytes.len());
            *number += memmem::find_iter(&bytes[page..reach], needle).count();
        }
        let reach = (end + OVERLAP - 1).min(bytes.len());
        found.schedules += schedules(&bytes[page..reach]);
    }
}

/// Key schedules that start at a word of these bytes.
fn schedules(bytes: &[u8]) -> usize {
    let words: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|word| u32::from_ne_bytes(word.try_into().unwrap()))
        .collect();
    // Words 9 to 11 are sums of others: nearly all memory fails the first of them.
    let likely = |words: &&[u32]| {
        words[9] == words[1] ^ words[8] && words[10] == words[2] ^ words[9] && words[0] != 0
    };
    let places = words.windows(OVERLAP / 4).enumerate();
    let places = places.filter(|(_, words)| likely(words));
    let whole = places.filter(|(at, _)| is_schedule(&bytes[4 * at..4 * at + OVERLAP]));
    whole.count()
}

/// Whether 240 bytes are an AES-256 key and what FIPS 197 section 5.2 expands it to.
pub(crate) fn is_schedule(bytes: &[u8]) -> bool {
    let word = |n: usize| <[u8; 4]>::try_from(&bytes[4 * n..4 * n + 4]).unwrap();
    let mut constant = 1_u8;
    for n in 8..60 {
        let mut last = word(n - 1);
        if n % 8 == 0 {
            last.rotate_left(1);
            last = last.map(substituted);
            last[0] ^= constant;
            constant <<= 1;
        } else if n % 8 == 4 {
            last = last.map(substituted);
        }
        let before = word(n - 8);
        if (0..4).any(|i| word(n)[i] != before[i] ^ last[i]) {
            return false;
        }
    }
    true
}

/// FIPS 197 figure 7, computed: the inverse in GF(2⁸), then the affine map.
fn substituted(byte: u8) -> u8 {
    let inverse = power(byte, 254);
    (0..5).fold(0x63, |sum, n| sum ^ inverse.rotate_left(n))
}

fn power(base: u8, exponent: u8) -> u8 {
    (0..exponent).fold(1, |product, _| multiplied(product, base))
}

fn multiplied(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        let carry = a & 0x80 != 0;
        a <<= 1;
        if carry {
            a ^= 0x1b;
        }
        b >>= 1;
    }
    product
}

/// The schedule of a key, for a scan that must find it.
pub(crate) fn schedule(key: [u8; 32]) -> Vec<u8> {
    let mut bytes = key.to_vec();
    let mut constant = 1_u8;
    for n in 8..60 {
        let mut last = <[u8; 4]>::try_from(&bytes[4 * n - 4..]).unwrap();
        if n % 8 == 0 {
            last.rotate_left(1);
            last = last.map(substituted);
            last[0] ^= constant;
            constant <<= 1;
        } else if n % 8 == 4 {
            last = last.map(substituted);
        }
        for i in 0..4 {
            bytes.push(bytes[4 * (n - 8) + i] ^ last[i]);
        }
    }
    bytes
}
