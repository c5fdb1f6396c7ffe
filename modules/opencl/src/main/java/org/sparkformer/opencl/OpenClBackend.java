package org.sparkformer.opencl;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.opencl.kernels.NvidiaDevice;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.HostMemory;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Operation;

/**
 * Tensors and operations on one OpenCL device, or a part of one.
 *
 * <p>One context and one in-order queue, on GPUs two more for copies that are started; the host
 * waits only in {@link #read}, {@link #finish} and where marks are evaluated. To be used by one
 * thread at a time, but for {@link #readBeside}, which has a queue of its own; copies that were
 * started are waited for on any. Two backends in one process, each with its own thread, run side by
 * side.
 */
public final class OpenClBackend implements Backend {
  private static final int LARGEST_NUMBER_OF_OPEN_MARKS = 1024;

  private final DeviceQueue queue;
  private final BufferPool pool;
  private final Programs programs;
  private final Transfers transfers;
  private final StartedCopies started;
  private final SideQueue side;
  private final LaunchContext context;
  private final Registry registry;
  private final Tuning tuning;
  private final Definitions definitions = new Definitions();
  private final List<EventMark> marks = new ArrayList<>();
  private final boolean limited;
  private final Set<String> without;
  private boolean closed;

  private OpenClBackend(
      DeviceQueue queue, OpenClOptions options, Tuning tuning, List<Specialisation<?>> kernels) {
    DeviceInfo device = queue.device().info();
    this.queue = queue;
    this.limited = options.memoryLimit() > 0;
    this.pool = new BufferPool(queue, limit(device, options));
    this.programs = new Programs(new Compiler(queue, cache(device, options)));
    this.transfers = new Transfers(queue, pool);
    this.started = new StartedCopies(queue, pool);
    this.side = new SideQueue(queue, pool);
    this.tuning = tuning;
    this.context =
        new LaunchContext(queue, pool, programs, Tunables.of(device).with(tuning.macros()));
    this.registry = new Registry(kernels, device);
    this.without = options.without();
  }

  private static long limit(DeviceInfo device, OpenClOptions options) {
    return options.memoryLimit() == 0
        ? device.memory().global() / options.parts()
        : options.memoryLimit();
  }

  private static ProgramCache cache(DeviceInfo device, OpenClOptions options) {
    return device.identity().platform().equals("Portable Computing Language")
        ? ProgramCache.none()
        : ProgramCache.in(options.cache());
  }

  /** Opens a device, or the part of it that the options name. */
  public static OpenClBackend open(OpenClDevice device, OpenClOptions options) {
    Tuning tuning = Tuning.read(options.tuned(), device.info());
    List<Specialisation<?>> kernels =
        options.specialised() ? Kernels.without(options.without()) : List.of();
    DeviceQueue queue = DeviceQueue.open(device, options.part(), options.parts());
    OpenClBackend backend = new OpenClBackend(queue, options, tuning, kernels);
    try {
      backend.registry.prove(backend, backend.context);
      return backend;
    } catch (RuntimeException failed) {
      backend.close();
      throw failed;
    }
  }

  /** Opens the device that a selector names, whole. */
  public static OpenClBackend open(DeviceSelector selector) {
    return open(Devices.select(selector), OpenClOptions.defaults());
  }

  @Override
  public String description() {
    String shared = queue.shared().isEmpty() ? "" : " (" + queue.shared() + ")";
    return "OpenCL device " + device() + shared + tuning.description();
  }

  /** The same for backends that give the same bits: the device's name, and what changes them. */
  public String rounding() {
    Set<String> missing = new TreeSet<>(without);
    missing.addAll(registry.leftAside());
    // Of two processors of one name one may be denied its tiles.
    return device().name()
        + (device().kind() == DeviceInfo.Kind.CPU ? HostArithmetic.labels() : "")
        + tuning.rounding()
        + (missing.isEmpty() ? "" : " without " + String.join(", ", missing));
  }

  /** The device. */
  public DeviceInfo device() {
    return queue.device().info();
  }

  /** What was asked of the device so far. */
  public DeviceActivity activity() {
    return queue.activity().counts();
  }

  /** From here on every kernel and copy is timed, which costs some microseconds each. */
  public void startTrace() {
    queue.activity().startTrace();
  }

  /** Waits for the device; its commands since {@link #startTrace}, in the order of their starts. */
  public List<TracedCommand> endTrace() {
    finish();
    return queue.activity().endTrace();
  }

  /** For kernels that belong to no operation. */
  LaunchContext launches() {
    return context;
  }

  /** What runs each operation, a line each, for people. */
  public List<String> kernels() {
    List<String> lines = new ArrayList<>(registry.describe());
    lines.add((lines.isEmpty() ? "every" : "any other") + " operation -> Aparapi definition");
    return List.copyOf(lines);
  }

  @Override
  public Tensor allocate(DType dtype, Shape shape) {
    return new Tensor(pool.take(Math.multiplyExact(shape.size(), dtype.bytes())), dtype, 0, shape);
  }

  @Override
  public void run(Operation operation) {
    run(operation, context);
  }

  private <O extends Operation> void run(O operation, LaunchContext launches) {
    if (operation.workItems() == 0) {
      return;
    }
    Optional<Specialisation<O>> specialisation = registry.find(operation);
    if (specialisation.isPresent()) {
      specialisation.get().enqueue(operation, launches);
    } else {
      definitions.run(operation, launches);
    }
  }

  /**
   * Runs operations on this backend's tensors and queue, as {@link #run} does but with these values
   * of tunables, by kernel file, over the built-in ones: for a tuner to compare.
   */
  public Consumer<Operation> withTunables(Map<String, Map<String, Integer>> values) {
    LaunchContext launches = context.with(Tunables.of(device()).with(values));
    return operation -> run(operation, launches);
  }

  /** The built-in values of a kernel file's tunables on this device. */
  public Map<String, Integer> builtInTunables(String file) {
    return Tunables.of(device()).of(file);
  }

  /** Runs so much of an operation on this backend's tensors and queue by its definition. */
  public void runDefinition(Operation operation, List<WorkItems> parts) {
    definitions.run(operation, parts, context);
  }

  @Override
  public void write(Tensor destination, ByteBuffer source) {
    transfers.write(destination, source);
  }

  @Override
  public void read(Tensor source, ByteBuffer destination) {
    transfers.read(source, destination);
  }

  @Override
  public void readBeside(Tensor source, ByteBuffer destination) {
    side.read(source, destination);
  }

  @Override
  public Pending startRead(Tensor source, ByteBuffer destination) {
    return started.startRead(source, destination);
  }

  @Override
  public Pending startWrite(Tensor destination, ByteBuffer source) {
    return started.startWrite(destination, source);
  }

  @Override
  public HostMemory hostMemory(int bytes) {
    return started.hostMemory(bytes);
  }

  @Override
  public void finish() {
    queue.finish();
    started.finish();
    transfers.settle();
    marks.forEach(EventMark::resolve);
    marks.clear();
  }

  @Override
  public Mark mark() {
    if (marks.size() == LARGEST_NUMBER_OF_OPEN_MARKS) {
      marks.removeIf(EventMark::isReached);
    }
    if (marks.size() == LARGEST_NUMBER_OF_OPEN_MARKS) {
      finish();
    }
    EventMark mark = EventMark.enqueue(queue);
    marks.add(mark);
    return mark;
  }

  @Override
  public Memory memory() {
    return pool.memory();
  }

  @Override
  public long capacityBytes() {
    return pool.limit();
  }

  @Override
  public long largestTensorBytes() {
    return Math.min(pool.limit(), device().memory().largest());
  }

  /** A limit that was set is the pool's alone. */
  @Override
  public boolean inHostMemory() {
    return device().kind() == DeviceInfo.Kind.CPU && !limited;
  }

  /** Tensor cores take their operands from memory as they lie there; other kernels round them. */
  @Override
  public DType gradients(DType operands) {
    return NvidiaDevice.multipliesBfloat16(device()) ? operands : DType.FLOAT32;
  }

  @Override
  public boolean isAccelerator() {
    return device().kind() != DeviceInfo.Kind.CPU;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try {
        finish();
      } finally {
        started.close();
        side.close();
        programs.close();
        pool.close();
        queue.close();
      }
    }
  }
}
