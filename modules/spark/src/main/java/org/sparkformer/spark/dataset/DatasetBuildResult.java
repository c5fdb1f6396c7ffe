package org.sparkformer.spark.dataset;

import org.sparkformer.data.DatasetManifest;

/**
 * What was built; tokens per split, replaced characters and shards stand in the manifest.
 *
 * @param documents with text
 * @param characters code points of all documents
 * @param seconds wall time
 */
public record DatasetBuildResult(
    String output, DatasetManifest manifest, long documents, long characters, double seconds) {}
