package org.sparkformer.opencl;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/**
 * Binaries of built programs on disk: a file each, named by a digest of all that the binary depends
 * on, starting with the CRC32C of the rest.
 *
 * <p>Processes may share the folder: files appear by an atomic move. A damaged file counts as
 * absent. A folder that cannot be written costs time, not correctness, so it is reported once and
 * then left alone.
 */
final class ProgramCache {
  private static final System.Logger LOG = System.getLogger(ProgramCache.class.getName());

  private final Path folder;
  private boolean usable;

  private ProgramCache(Path folder, boolean usable) {
    this.folder = folder;
    this.usable = usable;
  }

  static ProgramCache in(Path folder) {
    return new ProgramCache(folder, true);
  }

  /** For drivers that keep a cache of their own, as PoCL does for every shape of work-group. */
  static ProgramCache none() {
    return new ProgramCache(Path.of(""), false);
  }

  /** Digest of source, of what is made of its PTX, of options, device and driver. */
  record Key(String digest) {
    static Key of(KernelSource source, String options, DeviceInfo device) {
      boolean remade = HopperPtx.isNeeded(source, device);
      return of(source, options, device, remade ? HopperPtx.RULES : "");
    }

    /**
     * @param rules by which the program is made anew of its PTX; empty where it is not
     */
    static Key of(KernelSource source, String options, DeviceInfo device, String rules) {
      try {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (String part :
            new String[] {
              source.text(),
              rules,
              options,
              device.identity().platform(),
              device.name(),
              driver(device)
            }) {
          byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
          digest.update(ByteBuffer.allocate(4).putInt(0, bytes.length));
          digest.update(bytes);
        }
        return new Key(HexFormat.of().formatHex(digest.digest()));
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("this Java has no SHA-256", e);
      }
    }

    private static String driver(DeviceInfo device) {
      return device.identity().driver();
    }
  }

  Optional<byte[]> find(Key key) {
    Path file = folder.resolve(key.digest());
    if (!usable || !Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      byte[] content = Files.readAllBytes(file);
      byte[] binary = Arrays.copyOfRange(content, Math.min(4, content.length), content.length);
      boolean whole = content.length > 4 && ByteBuffer.wrap(content).getInt() == crc(binary);
      return whole ? Optional.of(binary) : Optional.empty();
    } catch (IOException e) {
      disable(e);
      return Optional.empty();
    }
  }

  void store(Key key, Supplier<byte[]> binary) {
    if (!usable) {
      return;
    }
    try {
      Files.createDirectories(folder);
      byte[] bytes = binary.get();
      ByteBuffer content = ByteBuffer.allocate(4 + bytes.length).putInt(crc(bytes)).put(bytes);
      Path temporary = Files.createTempFile(folder, key.digest(), ".part");
      Files.write(temporary, content.array());
      Files.move(
          temporary,
          folder.resolve(key.digest()),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      disable(e);
    }
  }

  private void disable(IOException reason) {
    usable = false;
    LOG.log(
        System.Logger.Level.WARNING,
        "programs are not cached in " + folder + ", every start compiles them: " + reason);
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
