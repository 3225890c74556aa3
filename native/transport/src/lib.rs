//! How a live volume and its frozen images become block devices.
