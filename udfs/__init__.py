"""Pure numerical kernels, numpy in and numpy out, each callable from SQL by the same name."""
