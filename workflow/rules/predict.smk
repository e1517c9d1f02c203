"""From a model and FASTA files to labels.

results/<run>/predictions/<input>.<format>      bedgraph, bigwig: a folder of tracks
"""


rule predict:
    """Label the sequences of an input with the model of a run."""
    input:
        model="results/{run}/model/model.json",
        weights="results/{run}/model/weights.safetensors",
        sequences=lambda wildcards: INPUTS[wildcards.input],
        profiles=lambda wildcards: files_of(input_profiles(wildcards)),
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
        "logs/predict/{run}/{input}.log",
    benchmark:
        "results/benchmarks/predict/{run}/{input}.tsv"
    conda:
        "../envs/grubio.yaml"
    threads: 4
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
        gpu=GPUS,
    params:
        model=subpath(input.model, parent=True),
        outputs=lambda wildcards, output: output_options(output),
        settings=prediction_options("grammar", "calls", "genome"),
        profiles=lambda wildcards: option("--profiles", input_profiles(wildcards)),
        on_invalid=STUDY.prediction.on_invalid,
        device=STUDY.device,
        version=VERSION,
    shell:
        """
        grubio predict {input.sequences:q} \
            --model {params.model:q} \
            {params.outputs} \
            {params.settings} {params.profiles} \
            --on-invalid {params.on_invalid} \
            --device {params.device} \
            --threads {threads} \
            --log {log:q}
        """
