package org.sparkformer.opencl;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
import org.lwjgl.opencl.NVDeviceAttributeQuery;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/** Typed questions to platforms and devices. */
final class DeviceQuery {
  /** cl_khr_pci_bus_info: a struct of domain, bus, device, function. */
  private static final int PCI_BUS_INFO_KHR = 0x410F;

  private static final String NVIDIA_ATTRIBUTES = "cl_nv_device_attribute_query";

  private static final int PCI_BUS_ID_NV = 0x4008;
  private static final int PCI_SLOT_ID_NV = 0x4009;
  private static final int PCI_DOMAIN_ID_NV = 0x400A;

  private DeviceQuery() {}

  static DeviceInfo describe(int index, long platform, long device) {
    return new DeviceInfo(
        index,
        kind(number(device, CL10.CL_DEVICE_TYPE)),
        new DeviceInfo.Identity(
            text(device, CL10.CL_DEVICE_NAME),
            text(device, CL10.CL_DEVICE_VENDOR),
            platformText(platform, CL10.CL_PLATFORM_NAME),
            text(device, CL10.CL_DRIVER_VERSION),
            pciBusId(device)),
        (int) number(device, CL10.CL_DEVICE_MAX_COMPUTE_UNITS),
        (int) number(device, CL11.CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT),
        new DeviceInfo.Memory(
            number(device, CL10.CL_DEVICE_GLOBAL_MEM_SIZE),
            number(device, CL10.CL_DEVICE_MAX_MEM_ALLOC_SIZE),
            number(device, CL10.CL_DEVICE_LOCAL_MEM_SIZE)),
        computeCapability(device));
  }

  private static DeviceInfo.Kind kind(long type) {
    if ((type & CL10.CL_DEVICE_TYPE_GPU) != 0) {
      return DeviceInfo.Kind.GPU;
    }
    return (type & CL10.CL_DEVICE_TYPE_CPU) != 0
        ? DeviceInfo.Kind.CPU
        : DeviceInfo.Kind.ACCELERATOR;
  }

  /** A device property of 4 or 8 bytes. */
  static long number(long device, int property) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      LongBuffer value = stack.callocLong(1);
      Status.check(
          CL10.clGetDeviceInfo(device, property, value, null), "read device property " + property);
      return value.get(0);
    }
  }

  private static String text(long device, int property) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      Status.check(
          CL10.clGetDeviceInfo(device, property, (ByteBuffer) null, size), "read device property");
      ByteBuffer text = stack.malloc((int) size.get(0));
      Status.check(CL10.clGetDeviceInfo(device, property, text, null), "read device property");
      return MemoryUtil.memUTF8(text, text.remaining() - 1).trim();
    }
  }

  private static String platformText(long platform, int property) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      Status.check(
          CL10.clGetPlatformInfo(platform, property, (ByteBuffer) null, size), "read platform");
      ByteBuffer text = stack.malloc((int) size.get(0));
      Status.check(CL10.clGetPlatformInfo(platform, property, text, null), "read platform");
      return MemoryUtil.memUTF8(text, text.remaining() - 1).trim();
    }
  }

  private static String pciBusId(long device) {
    String extensions = text(device, CL10.CL_DEVICE_EXTENSIONS);
    if (extensions.contains("cl_khr_pci_bus_info")) {
      return busInfo(device);
    }
    if (!extensions.contains(NVIDIA_ATTRIBUTES)) {
      return "";
    }
    long slot = number(device, PCI_SLOT_ID_NV);
    return "%04x:%02x:%02x.%x"
        .formatted(
            number(device, PCI_DOMAIN_ID_NV), number(device, PCI_BUS_ID_NV), slot >> 3, slot & 7);
  }

  private static int computeCapability(long device) {
    if (!text(device, CL10.CL_DEVICE_EXTENSIONS).contains(NVIDIA_ATTRIBUTES)) {
      return 0;
    }
    long major = number(device, NVDeviceAttributeQuery.CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV);
    long minor = number(device, NVDeviceAttributeQuery.CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV);
    return (int) (10 * major + minor);
  }

  private static String busInfo(long device) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      var parts = stack.callocInt(4);
      Status.check(CL10.clGetDeviceInfo(device, PCI_BUS_INFO_KHR, parts, null), "read PCI bus");
      return "%04x:%02x:%02x.%x".formatted(parts.get(0), parts.get(1), parts.get(2), parts.get(3));
    }
  }
}
