use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::files::Limits;
use crate::server::{self, Options};

/// Serve galleries: the search page for people, and an API for programs
#[derive(clap::Args)]
#[command(after_help = "\
The page is at the address that is printed; /docs tells of the API. A gallery is named as its folder is; pictures can be
added and removed while it is searched. Without keys the server listens on this machine alone.

The file of --api-key-file has one key in each line: `read KEY` for one that may search, `write KEY` for one that may
change galleries, too. A program sends a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`; the page asks for one.

Examples:
  tuwen serve --gallery g
  tuwen serve --gallery g --gallery h --port 8080 --read-only
  tuwen serve --gallery g --watch photos
  tuwen serve --gallery g --host 0.0.0.0 --api-key-file keys.txt")]
pub struct Args {
    /// Folder of a gallery; may be given several times
    #[arg(long = "gallery", value_name = "DIR", required = true)]
    galleries: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// File with the keys that clients must send
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Let everybody who reaches this machine use the server without a key
    #[arg(long)]
    open_to_all: bool,
    /// Let nobody change galleries
    #[arg(long)]
    read_only: bool,
    /// Folder whose pictures may be added by their paths, beside those of the galleries; may be given several times
    #[arg(long = "allow", value_name = "DIR")]
    roots: Vec<PathBuf>,
    /// Folder that its gallery is kept in step with; may be given several times
    #[arg(long = "watch", value_name = "DIR", conflicts_with = "read_only")]
    watched: Vec<PathBuf>,
    /// Searches that may wait; those beyond are answered with 429
    #[arg(long, value_name = "N", default_value_t = server::QUEUE)]
    queue: usize,
    /// Size of the largest request
    #[arg(long, value_name = "MIB", default_value_t = server::MAX_BODY, value_parser = clap::value_parser!(u32).range(1..=2048))]
    max_body: u32,
    #[command(flatten)]
    limits: Limits,
}

/// Where a server listens.
#[derive(clap::Args)]
pub struct Place {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
}

impl Place {
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    args.limits.set();
    serve(&Options {
        galleries: args.galleries.clone(),
        address: args.place.address(),
        key_file: args.api_key_file.clone(),
        open_to_all: args.open_to_all,
        read_only: args.read_only,
        roots: args.roots.clone(),
        watched: args.watched.clone(),
        queue: args.queue,
        max_body: (args.max_body as usize) << 20,
    })
}

/// Serves, and says where.
pub fn serve(options: &Options) -> Result<ExitCode> {
    server::serve(options, |address| {
        say!("http://{address}/");
        tracing::info!("stop with Ctrl+C");
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
