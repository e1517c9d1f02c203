"""From a model and FASTA files to labels, in shards that are labelled side by side.

results/<run>/shards/<input>/<K>-of-<N>.*       shards, deleted once they are gathered
results/<run>/predictions/<input>.<format>      as without shards, byte for byte
"""


scattergather:
    shards=STUDY.prediction.shards,


rule cut:
    """Check the records of an input and cut them into shards."""
    input:
        model="results/{run}/model/model.json",
        weights="results/{run}/model/weights.safetensors",
        sequences=lambda wildcards: INPUTS[wildcards.input],
    output:
        temp(
            scatter.shards(
                "results/{{run}}/shards/{{input}}/{scatteritem}.records.parquet"
            )
        ),
    log:
        "logs/cut/{run}/{input}.log",
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        model=subpath(input.model, parent=True),
        output=subpath(output[0], parent=True),
        shards=STUDY.prediction.shards,
        grammar=prediction_options("grammar"),
        on_invalid=STUDY.prediction.on_invalid,
        version=VERSION,
    shell:
        """
        grubio shards cut {input.sequences:q} \
            --shards {params.shards} \
            --model {params.model:q} \
            --output {params.output:q} \
            {params.grammar} \
            --on-invalid {params.on_invalid} \
            --log {log:q}
        """


rule label:
    """Label one shard."""
    input:
        model="results/{run}/model/model.json",
        weights="results/{run}/model/weights.safetensors",
        records="results/{run}/shards/{input}/{scatteritem}.records.parquet",
        profiles=lambda wildcards: files_of(input_profiles(wildcards)),
    output:
        temp("results/{run}/shards/{input}/{scatteritem}.probabilities.parquet"),
    log:
        "logs/label/{run}/{input}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/label/{run}/{input}/{scatteritem}.tsv"
    conda:
        "../envs/grubio.yaml"
    threads: 4
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
        gpu=GPUS,
    params:
        model=subpath(input.model, parent=True),
        genome=prediction_options("genome"),
        profiles=lambda wildcards: option("--profiles", input_profiles(wildcards)),
        device=STUDY.device,
        version=VERSION,
    shell:
        """
        grubio shards label {input.records:q} \
            --model {params.model:q} \
            --output {output:q} \
            {params.genome} {params.profiles} \
            --device {params.device} \
            --threads {threads} \
            --log {log:q}
        """


rule gather:
    """Write the predictions of an input from all of its shards."""
    input:
        model="results/{run}/model/model.json",
        weights="results/{run}/model/weights.safetensors",
        shards=gather.shards(
            "results/{{run}}/shards/{{input}}/{scatteritem}.probabilities.parquet"
        ),
    output:
        expand(
            "results/{{run}}/predictions/{{input}}.{format}",
            format=FILE_FORMATS,
        ),
        directory(
            expand(
                "results/{{run}}/predictions/{{input}}.{format}",
                format=FOLDER_FORMATS,
            )
        ),
    log:
        "logs/gather/{run}/{input}.log",
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        model=subpath(input.model, parent=True),
        outputs=lambda wildcards, output: output_options(output),
        settings=prediction_options("calls", "genome"),
        version=VERSION,
    shell:
        """
        grubio shards gather {input.shards:q} \
            --model {params.model:q} \
            {params.outputs} \
            {params.settings} \
            --log {log:q}
        """
