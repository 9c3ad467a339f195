//! Our stages against figures made by other programs (`tests/golden/README.md`: what, by whom, how near).

mod golden {
    mod figures;

    mod appearance;
    mod captions;
    mod correlations;
    mod decompositions;
    mod descriptors;
    mod encodings;
    mod evaluation;
    mod indices;
    mod kernel_maps;
    mod matching;
    mod mixtures;
    mod networks;
    mod pixels;
    mod reading;
    mod sentences;
    mod text;
}
