//! The ways into the program. To add one: a file with its `TARGET`, and a line here.

mod artifacts;
mod bundles;
mod dates;
mod filters;
mod fits;
mod galleries;
mod models;
mod pictures;
mod recipes;
mod results;
mod tables;
mod tokenizers;
mod vectors;
mod zips;

use super::target::Target;

pub const TARGETS: &[Target] = &[
    tables::TARGET,
    zips::TARGET,
    pictures::TARGET,
    artifacts::TARGET,
    models::TARGET,
    tokenizers::TARGET,
    vectors::TARGET,
    recipes::TARGET,
    fits::TARGET,
    results::TARGET,
    galleries::TARGET,
    bundles::TARGET,
    filters::TARGET,
    dates::TARGET,
];
