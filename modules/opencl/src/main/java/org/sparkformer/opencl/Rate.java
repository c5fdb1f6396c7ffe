package org.sparkformer.opencl;

import java.util.Map;
import java.util.Optional;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.opencl.kernels.NvidiaDevice;
import org.sparkformer.opencl.kernels.Vectors;
import org.sparkformer.tensor.DType;

/**
 * A kernel that does nothing but multiply and add in registers.
 *
 * @param file in which it is
 * @param kernel its entry point
 * @param macros that it is built with
 * @param items of a work-group
 * @param elements of its output a group
 * @param operations of a group in a round, a multiply-add counted as two
 * @param groups a compute unit, for some milliseconds of work
 * @param rounds of each group, for the same
 */
record Rate(
    String file,
    String kernel,
    Map<String, Integer> macros,
    int items,
    int elements,
    double operations,
    int groups,
    int rounds) {
  private static final int CHAINS = 16;
  private static final int LANES = 16;

  /** Of a processor with 16 registers, as those are whose vectors have 8 lanes. */
  private static final int FEW_CHAINS = 12;

  /** Of fused multiply-adds of fp32: one item a vector unit, or groups of many. */
  static Rate fma(DeviceInfo device) {
    if (device.kind() != DeviceInfo.Kind.CPU) {
      return fma(256, 4, CHAINS, 8);
    }
    int lanes = Vectors.width(device);
    return fma(1, lanes, lanes == 8 ? FEW_CHAINS : CHAINS, 256);
  }

  private static Rate fma(int items, int lanes, int chains, int groups) {
    Map<String, Integer> macros = Map.of("ITEMS", items, "LANES", lanes, "CHAINS", chains);
    int elements = items * lanes;
    double operations = 2.0 * chains * elements;
    return new Rate("ceilings.cl", "fma_rate", macros, items, elements, operations, groups, 20_000);
  }

  /**
   * Of AVX512_BF16's inner products of pairs.
   *
   * @param instructions whether by them, else by their meaning, for tests
   */
  static Rate pairs(boolean instructions) {
    Map<String, Integer> macros =
        Map.of("PAIRS", 1, "VW", LANES, "AVX512_BF16", instructions ? 1 : 0);
    return bfloat16("pair_rate", macros, LANES, 4.0 * CHAINS * LANES, 20_000);
  }

  /**
   * Of AMX's products of tiles, four of [16, 32] by [32, 16] a round.
   *
   * @param amx whether by its instructions, else by their meaning, for tests
   */
  static Rate tiles(boolean amx) {
    Map<String, Integer> macros = Map.of("AMX", amx ? 1 : 0);
    return bfloat16("tile_rate", macros, 4 * 16 * 16, 4 * 2.0 * 16 * 16 * 32, 1_000);
  }

  private static Rate bfloat16(
      String kernel, Map<String, Integer> macros, int elements, double operations, int rounds) {
    return new Rate("ceilings_bf16.cl", kernel, macros, 1, elements, operations, 256, rounds);
  }

  /**
   * What products of such operands are made of on a device; empty where that is NVIDIA's tensor
   * cores, which no kernel here drives without moving operands too.
   */
  static Optional<Rate> of(DType operands, DeviceInfo device) {
    if (operands == DType.FLOAT32) {
      return Optional.of(fma(device));
    }
    if (device.kind() != DeviceInfo.Kind.CPU) {
      return NvidiaDevice.multipliesBfloat16(device) ? Optional.empty() : Optional.of(fma(device));
    }
    if (HostArithmetic.TILES.isAvailable()) {
      return Optional.of(tiles(true));
    }
    return Optional.of(HostArithmetic.PAIRS.isAvailable() ? pairs(true) : fma(device));
  }
}
