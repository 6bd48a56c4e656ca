/* MPI_Allreduce of float sums: one JSON line per size. usage: mpirun ... allreduce_mpi BYTES:ITERATIONS [BYTES:ITERATIONS ...] */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int rank, ranks;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    for (int k = 1; k < argc; k++) {
        long bytes = 0;
        int iterations = 0;
        if (sscanf(argv[k], "%ld:%d", &bytes, &iterations) != 2 || iterations < 1) MPI_Abort(MPI_COMM_WORLD, 2);
        long count = bytes / 4, wrong = 0;
        double *took = malloc(sizeof(double) * iterations), *slowest = malloc(sizeof(double) * iterations);
        float *in = malloc(bytes), *out = malloc(bytes);
        for (long i = 0; i < count; i++) in[i] = (float)(((i * 7) + (rank * 13)) & 1023), out[i] = 0;
        for (int i = -3; i < iterations; i++) {
            MPI_Barrier(MPI_COMM_WORLD);
            double started = MPI_Wtime();
            MPI_Allreduce(in, out, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
            if (i >= 0) took[i] = MPI_Wtime() - started;
        }
        for (long i = 0; i < count; i++) {
            float expected = 0;
            for (int r = 0; r < ranks; r++) expected += (float)(((i * 7) + (r * 13)) & 1023);
            wrong += out[i] != expected;
        }
        MPI_Reduce(took, slowest, iterations, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
        if (rank == 0) {
            qsort(slowest, iterations, sizeof(double), by_value);
            printf("{\"bytes\": %ld, \"seconds\": %.9f, \"wrong\": %ld}\n", bytes, slowest[iterations / 2], wrong);
            fflush(stdout);
        }
        free(in);
        free(out);
        free(took);
        free(slowest);
    }
    MPI_Finalize();
    return 0;
}
