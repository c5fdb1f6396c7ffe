package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.sparkformer.collective.Addends;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.LeafRange;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.ParameterSink;
import org.sparkformer.models.ParameterStore;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;

/**
 * Every rank has all weights and gradients, and its share of the optimizer's state (ZeRO-1). A
 * rank's micro-batches are neighbours, added up on its device before anything is sent.
 */
final class OptimizerSharding implements Sharding {
  /** Elements read from the device at once. */
  private static final int CHUNK = 1 << 20;

  private final Backend backend;
  private final ModelState state;
  private final boolean overlap;
  private final List<Integer> leaves;
  private final GradientAccumulator gradients;
  private final BucketTraffic traffic;
  private final GradientExchange exchange;
  private final StepTotals totals;
  private final ParameterUpdate update;
  private final LanguageModel forwardOnly;
  private List<GradientBuffer> partials = List.of();
  private GradientBuffer buffer;

  /**
   * @param overlap whether gradients leave while the backward pass still runs, and weights come
   *     while the next forward pass does
   */
  OptimizerSharding(
      Rank rank,
      ModelConfiguration configuration,
      ModelState state,
      Communication communication,
      boolean overlap) {
    Collective collective = rank.collective();
    LeafRange owned = collective.ownedLeaves();
    Buckets buckets = rank.buckets(state.layout());
    this.traffic =
        rank.isAlone() ? null : new BucketTraffic(rank, route(rank, buckets), communication);
    this.backend = rank.backend();
    this.state = state;
    this.overlap = overlap;
    this.leaves = IntStream.range(owned.from(), owned.to()).boxed().toList();
    this.update = new ParameterUpdate(backend, state, buckets, traffic);
    Function<Tensor, LanguageModel> model = flat -> configuration.bind(store(flat));
    this.gradients = new GradientAccumulator(rank, state.layout().size(), model);
    Addends addends = Addends.all(collective.tree(), collective.size());
    this.exchange = new GradientExchange(gradients, buckets, traffic, addends);
    this.totals = new StepTotals(rank, buckets, communication);
    this.forwardOnly = model.apply(null);
  }

  /** Parameters whose slices of other ranks may still be on their way. */
  private ParameterStore store(Tensor gradients) {
    ParameterStore flat =
        ParameterStore.flat(state.layout(), state.parameters(), state.rounded(), gradients);
    return parameter -> {
      update.require(parameter);
      return flat.variable(parameter);
    };
  }

  private static BucketTraffic.Route route(Rank rank, Buckets buckets) {
    Collective collective = rank.collective();
    int partials = collective.tree().partialsOf(collective.rank(), collective.size()).size();
    return BucketTraffic.Route.of(buckets, partials, 1);
  }

  /** Bytes of host memory that buckets between the ranks take. */
  static long hostBytes(Rank rank, Buckets buckets) {
    return route(rank, buckets).hostBytes(rank.collective().rank());
  }

  @Override
  public List<Integer> leaves() {
    return leaves;
  }

  @Override
  public Pass begin(int index) {
    buffer = gradients.next();
    IntConsumer reached = mark -> {};
    if (isLast(index)) {
      partials = gradients.pushLast(buffer);
      exchange.begin(partials);
      reached = overlap ? exchange::reached : reached;
    }
    return new Pass(buffer.model(), buffer.loss(), reached);
  }

  private boolean isLast(int index) {
    return index == leaves.size() - 1;
  }

  @Override
  public Pass rehearse() {
    buffer = gradients.next();
    return new Pass(buffer.model(), buffer.loss(), mark -> {});
  }

  @Override
  public void end() {
    if (partials.isEmpty()) {
      gradients.push(buffer);
    } else if (overlap) {
      exchange.reached(LanguageModel.END_OF_PASS);
    }
  }

  @Override
  public String gradientsDigest() {
    boolean rehearsed = partials.isEmpty();
    List<GradientBuffer> sums = rehearsed ? gradients.partials() : partials;
    if (!rehearsed) {
      // What waits for the last micro-batch is added first.
      exchange.reached(LanguageModel.END_OF_PASS);
    }
    MessageDigest digest = WeightsDigest.sha256();
    for (GradientBuffer sum : sums) {
      read(sum.flat(), (first, floats) -> digest.update(floats));
    }
    if (rehearsed) {
      gradients.release(sums);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Override
  public void sum(Tensor squaredNorm) {
    exchange.reached(LanguageModel.END_OF_PASS);
    exchange.collect(index -> totals.add(index, slice -> slice.of(sum())));
    totals.finish(squaredNorm, exchange.ownLoss());
  }

  private Tensor sum() {
    return exchange.sum().gradients();
  }

  @Override
  public void update(Tensor squaredNorm, AdamW.Settings settings) {
    update.run(sum(), squaredNorm, settings);
    leave();
    if (!overlap) {
      collect();
    }
  }

  @Override
  public void collect() {
    update.collect();
  }

  @Override
  public void leave() {
    gradients.release(partials);
    partials = List.of();
  }

  @Override
  public double loss() {
    return totals.loss(exchange.sum().loss());
  }

  @Override
  public LanguageModel forwardOnly() {
    return forwardOnly;
  }

  @Override
  public void read(ParameterSink sink) {
    read(state.parameters(), sink);
  }

  private void read(Tensor vector, ParameterSink sink) {
    ByteBuffer chunk =
        ByteBuffer.allocateDirect(CHUNK * Float.BYTES).order(ByteOrder.nativeOrder());
    for (long first = 0; first < vector.size(); first += CHUNK) {
      int count = (int) Math.min(CHUNK, vector.size() - first);
      backend.read(vector.view(first, count), chunk.clear().limit(count * Float.BYTES));
      sink.write(first, chunk.clear().limit(count * Float.BYTES));
    }
  }

  @Override
  public void help() {
    // Every rank has all weights.
  }

  @Override
  public void close() {
    gradients.close();
    totals.close();
    if (traffic != null) {
      traffic.close();
    }
  }
}
