//! The one routine that FAISS's hot loops ask a BLAS for, by faer: its kernels are chosen for the CPU at run time, where
//! an older OpenBLAS takes the slowest for a CPU that it does not know, and the answers do not change with the BLAS of the
//! machine.

use std::ffi::{c_char, c_int};

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// c = alpha·op(a)·op(b) + beta·c, by columns, for op(a): m×k, op(b): k×n (BLAS, Dongarra et al. 1990).
///
/// The program's own definition comes before that of a shared library, so that FAISS calls this one; so does the LAPACK that
/// the machine's OpenCV may load.
///
/// # Safety
/// As BLAS has it: the numbers describe matrices that are there, and `c` overlaps neither `a` nor `b`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgemm_(
    transpose_a: *const c_char,
    transpose_b: *const c_char,
    m: *const c_int,
    n: *const c_int,
    k: *const c_int,
    alpha: *const f32,
    a: *const f32,
    lda: *const c_int,
    b: *const f32,
    ldb: *const c_int,
    beta: *const f32,
    c: *mut f32,
    ldc: *const c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let size = |n: *const c_int| usize::try_from(*n).unwrap_or(0);
        let (m, n, k) = (size(m), size(n), size(k));
        let columns =
            |at: *const f32, rows, columns, ld: *const c_int, transpose: *const c_char| {
                let stride = *ld as isize;
                match (*transpose as u8).to_ascii_uppercase() {
                    b'N' => MatRef::from_raw_parts(at, rows, columns, 1, stride),
                    _ => MatRef::from_raw_parts(at, rows, columns, stride, 1),
                }
            };
        let (a, b) = (
            columns(a, m, k, lda, transpose_a),
            columns(b, k, n, ldb, transpose_b),
        );
        let mut c = MatMut::from_raw_parts_mut(c, m, n, 1, *ldc as isize);
        // what is there need not be a number where beta is 0
        let accum = match *beta {
            0.0 => Accum::Replace,
            beta => {
                if beta != 1.0 {
                    faer::zip!(&mut c).for_each(|faer::unzip!(c)| *c *= beta);
                }
                Accum::Add
            }
        };
        matmul(c, accum, a, b, *alpha, Par::Seq);
    }
    0
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ShapeBuilder as _};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::sgemm_;

    /// By columns, of numbers that leave nothing to rounding, in a taller matrix.
    fn columns(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Array2<f32> {
        Array2::from_shape_simple_fn((rows + 3, columns).f(), || rng.gen_range(-4i8..4).into())
    }

    #[test]
    fn products_are_their_definition() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (m, n, k) = (7, 5, 9);
        for (at, bt, alpha, beta) in [
            (false, false, 1.0, 0.0),
            (true, false, 2.0, 1.0),
            (false, true, -1.0, 0.5),
            (true, true, 1.0, 0.0),
        ] {
            let turned = |t, rows, columns| if t { (columns, rows) } else { (rows, columns) };
            let (a_shape, b_shape) = (turned(at, m, k), turned(bt, k, n));
            let a = columns(a_shape.0, a_shape.1, &mut rng);
            let b = columns(b_shape.0, b_shape.1, &mut rng);
            let mut c = columns(m, n, &mut rng);
            if beta == 0.0 {
                c.fill(f32::NAN); // is not read
            }
            let before = c.clone();
            let letter = |t| if t { c"T".as_ptr() } else { c"N".as_ptr() };
            let size = |n: usize| n as i32;
            // SAFETY: the sizes are those of the matrices.
            unsafe {
                sgemm_(
                    letter(at),
                    letter(bt),
                    &size(m),
                    &size(n),
                    &size(k),
                    &alpha,
                    a.as_ptr(),
                    &size(a.nrows()),
                    b.as_ptr(),
                    &size(b.nrows()),
                    &beta,
                    c.as_mut_ptr(),
                    &size(c.nrows()),
                );
            }
            for j in 0..n {
                for i in 0..m {
                    let a = |l| if at { a[[l, i]] } else { a[[i, l]] };
                    let b = |l| if bt { b[[j, l]] } else { b[[l, j]] };
                    let sum: f32 = (0..k).map(|l| a(l) * b(l)).sum();
                    let there = if beta == 0.0 {
                        0.0
                    } else {
                        beta * before[[i, j]]
                    };
                    assert_eq!(c[[i, j]], alpha * sum + there);
                }
                for i in m..m + 3 {
                    assert_eq!(c[[i, j]].to_bits(), before[[i, j]].to_bits(), "not its own");
                }
            }
        }
    }
}
