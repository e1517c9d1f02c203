"""From a DNA model to what it has learned.

results/<run>/motifs/   motifs.meme, motifs.json, sites.tsv, ism.tsv, and figures of each class
"""


rule motifs:
    """Draw logos and in-silico mutagenesis of a run on a genome."""
    input:
        model="results/{run}/model/model.json",
        weights="results/{run}/model/weights.safetensors",
        dataset=run_dataset,
        database=motif_database,
    output:
        meme="results/{run}/motifs/motifs.meme",
        summary="results/{run}/motifs/motifs.json",
        sites="results/{run}/motifs/sites.tsv",
        effects="results/{run}/motifs/ism.tsv",
    log:
        "logs/motifs/{run}.log",
    conda:
        "../envs/grubio.yaml"
    threads: 4
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
        gpu=GPUS,
    params:
        model=subpath(input.model, parent=True),
        output=subpath(output.meme, parent=True),
        settings=motif_options,
        database=lambda wildcards, input: option("--database", input.database),
        device=STUDY.device,
        version=VERSION,
    shell:
        """
        grubio motifs \
            --model {params.model:q} \
            --dataset {input.dataset:q} \
            --output {params.output:q} \
            {params.settings} \
            {params.database} \
            --device {params.device} \
            --threads {threads} \
            --log {log:q}
        """
