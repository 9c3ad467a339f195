//! FAISS by factory string (Douze et al. 2024), with the two promises FAISS does not make: equal answers
//! for any number of threads, and ties in the order of the gallery.

use std::ffi::c_int;
use std::path::Path;
use std::sync::Once;

use faiss::index::IndexImpl;
use faiss::index::autotune::ParameterSpace;
use faiss::{Index as _, MetricType, index_factory, read_index, write_index};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::{Hit, Index, IndexParams, best_first};
use crate::error::{Error, Result};
use crate::timing;

unsafe extern "C" {
    fn omp_set_num_threads(n: c_int);
}

// FAISS calls it.
#[link(name = "openblas")]
unsafe extern "C" {
    fn openblas_set_num_threads(n: c_int);
}

/// Runs `f` with FAISS on one thread: a sum that is split over threads rounds differently for another
/// number of them, and rayon shares out the work.
fn on_one_thread<T>(f: impl FnOnce() -> T) -> T {
    static BLAS: Once = Once::new();
    // SAFETY: OpenBLAS takes any number, from any thread, at any time.
    BLAS.call_once(|| unsafe { openblas_set_num_threads(1) });
    // SAFETY: it stores a number in this thread's OpenMP state.
    unsafe { omp_set_num_threads(1) };
    f()
}

/// A FAISS index over inner products.
pub struct Faiss {
    index: IndexImpl,
}

fn failed(reason: String) -> Error {
    Error::Faiss { reason }
}

fn last_error() -> String {
    // SAFETY: FAISS returns null or a string that lives until this thread's next call.
    let message = unsafe {
        let p = faiss_sys::faiss_get_last_error();
        (!p.is_null()).then(|| std::ffi::CStr::from_ptr(p))
    };
    message.map_or_else(
        || "unknown error".into(),
        |m| m.to_string_lossy().into_owned(),
    )
}

/// Queries that are searched together: enough for a product to be fast.
const BLOCK: usize = 256;

/// What FAISS reads: row-major, without gaps.
fn rows<'a>(x: &'a ArrayView2<f32>) -> ndarray::CowArray<'a, f32, ndarray::Ix2> {
    x.as_standard_layout()
}

fn slice<'a>(x: &'a ndarray::CowArray<'_, f32, ndarray::Ix2>) -> &'a [f32] {
    x.as_slice().expect("in standard layout")
}

impl Faiss {
    /// Learns from `sample` (of both modalities: images and texts are two clouds, and a quantiser that
    /// has seen one answers queries of the other badly), then adds `items`: n×d.
    ///
    /// # Errors
    /// [`Error::Faiss`] for a factory string FAISS does not know, or a sample too small for it.
    pub fn build(
        params: &IndexParams,
        sample: ArrayView2<f32>,
        items: ArrayView2<f32>,
    ) -> Result<Self> {
        let dim = items.ncols();
        if sample.ncols() != dim {
            return Err(Error::dimensions(
                "the index",
                dim,
                "its sample",
                sample.ncols(),
            ));
        }
        let build = || {
            // binary codes have Hamming distances alone
            let metric = match params.factory.contains("LSH") {
                true => MetricType::L2,
                false => MetricType::InnerProduct,
            };
            let mut index = index_factory(dim as u32, &params.factory, metric).map_err(|e| {
                failed(format!("no index by the factory `{}`: {e}", params.factory))
            })?;
            if !index.is_trained() {
                let step = sample.nrows().div_ceil(params.sample.max(1)).max(1);
                let sample = sample.slice(ndarray::s![..;step, ..]);
                index.train(slice(&rows(&sample)))?;
            }
            Self { index }.with_search(&params.search)
        };
        let mut built = timing::INDEX.time(|| on_one_thread(build))?;
        built.add(items)?;
        Ok(built)
    }

    /// Adds items: n×d, after those that are there.
    pub fn add(&mut self, items: ArrayView2<f32>) -> Result<()> {
        let dim = self.index.d() as usize;
        if items.ncols() != dim {
            return Err(Error::dimensions("the index", dim, "items", items.ncols()));
        }
        if items.nrows() == 0 {
            return Ok(());
        }
        let add = || self.index.add(slice(&rows(&items)));
        Ok(timing::INDEX.time(|| on_one_thread(add))?)
    }

    /// With search parameters as [`IndexParams::search`] has them; those that are not named stay.
    pub fn with_search(self, search: &str) -> Result<Self> {
        let space = ParameterSpace::new()?;
        for setting in search.split(',').map(str::trim).filter(|s| !s.is_empty()) {
            let parsed = setting
                .split_once('=')
                .and_then(|(n, v)| Some((n, v.parse::<f64>().ok()?)));
            let (name, value) =
                parsed.ok_or_else(|| failed(format!("`{setting}` is not NAME=NUMBER")))?;
            space.set_index_parameter(&self.index, name, value)?;
        }
        Ok(self)
    }

    /// The ids of the nearest items of a query, in any order: those whose bit is set in `among`, from `probes` cells.
    /// For indexes with cells alone.
    ///
    /// # Errors
    /// [`Error::Faiss`] where FAISS fails, [`Error::Mismatch`] for a query of other dimensions.
    pub fn nearest_among(
        &self,
        query: &[f32],
        k: usize,
        among: &[u8],
        probes: usize,
    ) -> Result<Vec<u32>> {
        let dim = self.index.d() as usize;
        if query.len() != dim {
            return Err(Error::dimensions(
                "the index",
                dim,
                "the query",
                query.len(),
            ));
        }
        let (mut distances, mut labels) = (vec![0f32; k], vec![-1i64; k]);
        let search = || {
            let mut selector = std::ptr::null_mut();
            let mut params = std::ptr::null_mut();
            // SAFETY: the bits, the query and both outputs live until FAISS is done; what FAISS made is freed by it.
            unsafe {
                let made = faiss_sys::faiss_IDSelectorBitmap_new(
                    &mut selector,
                    among.len(),
                    among.as_ptr(),
                );
                let made = made
                    | faiss_sys::faiss_SearchParametersIVF_new_with(
                        &mut params,
                        selector.cast(),
                        probes,
                        0,
                    );
                let code = match made {
                    0 => faiss_sys::faiss_Index_search_with_params(
                        self.index.inner_ptr(),
                        1,
                        query.as_ptr(),
                        k as i64,
                        params.cast(),
                        distances.as_mut_ptr(),
                        labels.as_mut_ptr(),
                    ),
                    code => code,
                };
                faiss_sys::faiss_SearchParametersIVF_free(params);
                faiss_sys::faiss_IDSelectorBitmap_free(selector);
                code
            }
        };
        if timing::SEARCH.time(|| on_one_thread(search)) != 0 {
            return Err(failed(last_error()));
        }
        let found = labels.into_iter().filter_map(|l| u32::try_from(l).ok());
        Ok(found.collect())
    }

    /// Writes FAISS's own format, which any FAISS reads.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(write_index(&self.index, path.to_string_lossy())?)
    }

    /// Bytes of an item's code, without what all items share.
    pub fn code_size(&self) -> Result<usize> {
        let mut size = 0;
        // SAFETY: the index is there and does not change, and `size` is FAISS's to write.
        let code =
            unsafe { faiss_sys::faiss_Index_sa_code_size(self.index.inner_ptr(), &mut size) };
        if code != 0 {
            return Err(failed(last_error()));
        }
        Ok(size)
    }

    /// Reads an index that [`Self::write`] wrote, and sets FAISS's search parameters. FAISS trusts its files: read only
    /// what you wrote.
    ///
    /// # Errors
    /// Those of FAISS.
    pub fn read(path: &Path, search: &str) -> Result<Self> {
        let index = read_index(path.to_string_lossy())?;
        Self { index }.with_search(search)
    }

    /// The `k` best of each query, ties in the order of the gallery. FAISS keeps any of the items that tie
    /// with the k-th, so that more are asked for until the tie ends.
    fn search_block(&self, q: ArrayView2<f32>, k: usize) -> Result<Vec<Vec<Hit>>> {
        let mut asked = (k + 1).min(self.len());
        loop {
            let mut answers = self.ask(q, asked)?;
            let ties = |hits: &Vec<Hit>| {
                hits.len() == asked && asked > k && hits[k - 1].score == hits[asked - 1].score
            };
            if asked == self.len() || !answers.iter().any(ties) {
                answers.iter_mut().for_each(|hits| hits.truncate(k));
                return Ok(answers);
            }
            asked = (2 * asked).min(self.len());
        }
    }

    /// `k` good items of each query, best first.
    fn ask(&self, q: ArrayView2<f32>, k: usize) -> Result<Vec<Vec<Hit>>> {
        let n = q.nrows();
        let mut scores = vec![0f32; n * k];
        let mut labels = vec![-1i64; n * k];
        let q = rows(&q);
        // SAFETY: q has n rows of the index's dimension (checked by the caller), both outputs have room
        // for n·k, and searching does not change a CPU index, so that threads may share it.
        let code = on_one_thread(|| unsafe {
            faiss_sys::faiss_Index_search(
                self.index.inner_ptr(),
                n as i64,
                slice(&q).as_ptr(),
                k as i64,
                scores.as_mut_ptr(),
                labels.as_mut_ptr(),
            )
        });
        if code != 0 {
            return Err(failed(last_error()));
        }
        if self.index.metric_type() == MetricType::L2 {
            // the nearest are the best
            scores.iter_mut().for_each(|score| *score = -*score);
        }
        let answers = scores
            .chunks(k)
            .zip(labels.chunks(k))
            .map(|(scores, labels)| {
                let found = scores.iter().zip(labels).filter(|&(_, &label)| label >= 0);
                let mut hits: Vec<Hit> = found
                    .map(|(&score, &label)| Hit {
                        item: label as usize,
                        score,
                    })
                    .collect();
                hits.sort_by(best_first);
                hits
            });
        Ok(answers.collect())
    }
}

impl Index for Faiss {
    fn len(&self) -> usize {
        self.index.ntotal() as usize
    }

    fn search(&self, q: ArrayView2<f32>, k: usize) -> Result<Vec<Vec<Hit>>> {
        let dim = self.index.d() as usize;
        if q.ncols() != dim {
            return Err(Error::dimensions("the index", dim, "a query", q.ncols()));
        }
        let k = k.min(self.len());
        if k == 0 {
            return Ok(vec![Vec::new(); q.nrows()]);
        }
        let blocks: Vec<_> = q.axis_chunks_iter(Axis(0), BLOCK).collect();
        let answers: Result<Vec<_>> = blocks
            .into_par_iter()
            .map(|block| timing::SEARCH.time(|| self.search_block(block, k)))
            .collect();
        Ok(answers?.into_iter().flatten().collect())
    }
}
