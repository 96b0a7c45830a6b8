//! Fuzz targets, in `tests/`: everything that reads what others wrote.
