//! An S3 server that is strict about SSE-C and seals every object at rest.

pub mod ssec;
