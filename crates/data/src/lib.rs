//! Sources, decoding, order and batching: bytes in, rows out.
