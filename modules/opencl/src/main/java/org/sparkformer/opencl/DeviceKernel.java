package org.sparkformer.opencl;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A built kernel of one backend. */
final class DeviceKernel {
  /** Grids narrower than this are compiled for apart from wide ones (PoCL). */
  private static final long WIDE_GRID = 65535;

  private final long id;
  private final String name;
  private final Set<List<Object>> forms = new HashSet<>();

  /**
   * @param id OpenCL's handle
   * @param name file and entry point, for messages
   */
  DeviceKernel(long id, String name) {
    this.id = id;
    this.name = name;
  }

  long id() {
    return id;
  }

  String name() {
    return name;
  }

  /**
   * Whether the driver may compile when it is run in this form: the first time, true.
   *
   * @param first number of the first work-item; PoCL compiles for 0 and for others
   */
  boolean isNewForm(long[] groups, long[] group, long first) {
    boolean wide = false;
    for (int axis = 0; axis < groups.length; axis++) {
      wide |= groups[axis] * group[axis] >= WIDE_GRID;
    }
    return forms.add(List.of(Arrays.stream(group).boxed().toList(), wide, first == 0));
  }
}
