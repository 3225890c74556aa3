//! Copy-on-write of a volume: block map, cache slots, epochs, range locks.
