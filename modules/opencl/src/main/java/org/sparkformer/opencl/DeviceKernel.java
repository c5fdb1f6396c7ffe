package org.sparkformer.opencl;

/**
 * A built kernel.
 *
 * @param id OpenCL's handle
 * @param name file and entry point, for messages
 */
record DeviceKernel(long id, String name) {}
