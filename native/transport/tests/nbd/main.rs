//! NBD against clients that break the rules, over a volume in memory. Needs no rights.

mod client;
mod crowds;
mod memory;
mod negotiation;
mod requests;
mod tls;
