package org.sparkformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class KernelListTest {
  @Test
  void groupsOperationsByWhatRunsThem() {
    assertEquals(
        "Aparapi: any other operation; elementwise.cl: Add, Copy;"
            + " matmul_split.cl or matmul.cl: MatMul; reduce.cl: ColumnSum",
        KernelList.text(
            List.of(
                "Add -> elementwise.cl",
                "ColumnSum -> reduce.cl, two stages",
                "Copy -> elementwise.cl",
                "MatMul -> matmul_split.cl matmul (a), else matmul.cl matmul (b), else matmul.cl",
                "any other operation -> Aparapi definition")));
  }
}
