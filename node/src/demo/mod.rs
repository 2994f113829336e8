//! `smp-node demo`: a whole region of real councils and made-up people on one machine.
#![allow(dead_code)]

mod chance;
mod councils;
mod hosts;
mod people;
mod pool;
mod records;
