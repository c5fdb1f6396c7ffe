package org.sparkformer.opencl;

/**
 * A device that can be opened.
 *
 * @param platform OpenCL's handle of the platform
 * @param id OpenCL's handle of the device
 */
public record OpenClDevice(long platform, long id, DeviceInfo info) {}
