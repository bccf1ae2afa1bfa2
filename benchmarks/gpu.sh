#!/bin/sh
# The five reports' full sizes, as far as ten minutes on a CUDA card go. Finished cells are kept in benchmarks/results/gpu, in
# CSVs whose column "device" names the card, and a second run goes on after them. They are in a folder of their own because
# report.py shows the largest budget in benchmarks/results, finished or not:
#
#     SKGAN_DATA=/path/to/data sh benchmarks/gpu.sh
#
# fashion-mnist.npz and mnist-5k.npz are looked for in $SKGAN_DATA, then on OpenML; with all of MNIST in $SKGAN_DATA (mnist.npz, or
# its four idx files) the MNIST report's own sizes are run. PYTHON names the interpreter.
set -u
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python}
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-4}"
"$PYTHON" -c 'import torch; raise SystemExit(None if torch.cuda.is_available() else "There is no CUDA card here.")' || exit 1

mnist=mnist
missing="dataset=fashion dataset=mnist"
for file in mnist.npz train-images-idx3-ubyte train-images-idx3-ubyte.gz; do
    if [ -e "${SKGAN_DATA:-}/$file" ]; then mnist=mnist-60k missing=dataset=mnist-60k; fi
done

# script, seconds until the last cell begins, seconds until an unfinished one is stopped, further options
full() {
    script=$1 begin=$2 stop=$3
    shift 3
    timeout "$stop" "$PYTHON" "benchmarks/$script.py" --full --results benchmarks/results/gpu --max-time "$begin" "$@" ||
        echo "$script was stopped, or failed"
}
full mixing_ratio 80 120 --parts mixing_ratio --only "dataset=$mnist" n=250 n=500 n=1000 n=2000
full galaxies 60 110 --parts galaxies
full few_photos 50 120 --parts few_photos --only added=original "added=photo_gan as published" "added=real rows repeated"
full few_photos 50 120 --parts few_photos_animals --only seed=0
full missing_class 50 80 --parts missing_class --only $missing kept=0.01
full families 50 90 --parts families
