package org.sparkformer.opencl;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.lwjgl.system.APIUtil;
import org.lwjgl.system.JNI;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.Platform;
import org.lwjgl.system.SharedLibrary;

/**
 * The files by which the OpenCL loader knows drivers. A container with a GPU may hold NVIDIA's
 * library and lack the file that names it; then this process gets a folder that has one. In the
 * process, as executors have no launcher that could.
 */
final class IcdFiles {
  private static final String NVIDIA = "libnvidia-opencl.so.1";
  private static final Path USUAL = Path.of("/etc/OpenCL/vendors");

  /** Read by both loaders, ocl-icd and Khronos's, when they are first asked for platforms. */
  private static final String VARIABLE = "OCL_ICD_VENDORS";

  private static final String SUFFIX = ".icd";

  private static boolean done;

  private IcdFiles() {}

  /** To be called before the loader is; a folder that the user names is left as it is. */
  static synchronized void complete() {
    if (!done && Platform.get() == Platform.LINUX && System.getenv(VARIABLE) == null) {
      complete(USUAL, NVIDIA);
    }
    done = true;
  }

  /** Makes the loader find a library that is there and that no file of the folder names. */
  static void complete(Path folder, String library) {
    if (isNamed(folder, library) || !isPresent(library)) {
      return;
    }
    try (SharedLibrary c = APIUtil.apiCreateLibrary("libc.so.6");
        MemoryStack stack = MemoryStack.stackPush()) {
      Path completed = withFile(folder, library);
      JNI.callPPI(
          MemoryUtil.memAddress(stack.UTF8(VARIABLE)),
          MemoryUtil.memAddress(stack.UTF8(completed.toString())),
          1,
          c.getFunctionAddress("setenv"));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a file that names " + library, e);
    }
  }

  private static boolean isPresent(String library) {
    try {
      APIUtil.apiCreateLibrary(library).close();
      return true;
    } catch (UnsatisfiedLinkError absent) {
      return false;
    }
  }

  /** Whether a driver file in a folder names a library, with or without its path. */
  static boolean isNamed(Path folder, String library) {
    try {
      for (Path file : files(folder)) {
        if (Files.readString(file).trim().endsWith(library)) {
          return true;
        }
      }
      return false;
    } catch (IOException unreadable) {
      return false;
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(SUFFIX)).toList();
    }
  }

  /** A new folder with a folder's driver files and one more, which goes with this process. */
  static Path withFile(Path folder, String library) throws IOException {
    Path completed = Files.createTempDirectory("opencl-vendors");
    completed.toFile().deleteOnExit();
    for (Path file : files(folder)) {
      Path copy = completed.resolve(file.getFileName());
      Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
      copy.toFile().deleteOnExit();
    }
    Path added = Files.writeString(completed.resolve(library + SUFFIX), library + "\n");
    added.toFile().deleteOnExit();
    return completed;
  }
}
