package org.sparkformer.app.command;

import picocli.CommandLine.Option;

/** {@code --device}. */
final class DeviceOption {
  @Option(
      names = "--device",
      paramLabel = "WHICH",
      defaultValue = "auto",
      description =
          "auto (a GPU, else the CPU), gpu, cpu, an index as doctor lists them, part of a name,"
              + " pci:ADDRESS, or java for the slow definitions without OpenCL"
              + " (default: ${DEFAULT-VALUE}).")
  private String device;

  String value() {
    return device;
  }
}
