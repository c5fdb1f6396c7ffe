// Arguments of dropout; see the operation for the counter's layout.
#define DROPOUT_PARAMETERS \
  long first_element, long threshold, float keep_scale, int seed_low, int seed_high, int site, \
      int step
#define DROPOUT_ARGUMENTS first_element, threshold, keep_scale, seed_low, seed_high, site, step
