//! The program: parse, dispatch, exit code. [`cli`] has the verbs and [`server`] the HTTP side of galleries; [`ablation`] and
//! [`compression`] measure. None of them is part of the library.

mod ablation;
mod blas;
mod cli;
mod compression;
mod reliability;
mod server;
mod thumbnail;
mod watch;

use std::process::ExitCode;

use clap::Parser;

/// What the C library is told before anything else runs.
fn prepare_process() {
    // SAFETY: no other thread runs yet; both calls only set numbers.
    #[cfg(unix)]
    unsafe {
        // `tuwen search ... | head` ends quietly, as other programs do; Rust would panic on the closed pipe.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
    // OpenCV allocates a scale pyramid per picture. glibc would get each from the kernel and give it back:
    // a fifth of the time of SIFT went into page faults.
    // SAFETY: as above.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20); // the most it takes
        libc::mallopt(libc::M_TRIM_THRESHOLD, 128 << 20);
    }
}

fn main() -> ExitCode {
    prepare_process();
    let args = cli::Args::parse(); // ends with 2 on bad usage
    cli::log::start(args.verbose, args.quiet, args.timings);
    match cli::run(args) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
