"""What an annotation says of the instrument and its processing: values of the mission, the same for every product."""

from typing import Final

from containers.eodata.radar_slice import Slice, stamp
from containers.eodata.radar_xml import Content, counted

SAMPLING_HZ: Final = 64_345_238.12571428
FREQUENCY_HZ: Final = 5_405_000_454.33435
PRF_HZ: Final = {"IW1": 1717.129, "IW2": 1451.627, "IW3": 1685.817}
_RANK: Final = {"IW1": 9, "IW2": 8, "IW3": 10}
_GAPS: Final = (
    ("numDownlinkInputDataGaps", "downlinkGapsInInputDataSignificantFlag"),
    ("numDownlinkInputMissingLines", "downlinkMissingLinesSignificantFlag"),
    ("numInstrumentInputDataGaps", "instrumentGapsInInputDataSignificantFlag"),
    ("numInstrumentInputMissingLines", "instrumentMissingLinesSignificantFlag"),
    ("numSsbErrorInputDataGaps", "ssbErrorGapsInInputDataSignificantFlag"),
    ("numSsbErrorInputMissingLines", "ssbErrorMissingLinesSignificantFlag"),
)
_USED: Final = (
    "rawDataAnalysisUsed", "orbitDataFileUsed", "attitudeDataFileUsed", "rxVariationCorrectionApplied",
    "antennaElevationPatternApplied", "antennaAzimuthPatternApplied", "antennaAzimuthElementPatternApplied",
)  # fmt: skip
_BIT_ERRORS: Final = (
    "SyncMarker", "DataTakeId", "EccNumber", "TestMode", "RxChannelId", "InstrumentConfigId", "PacketCount", "PriCount",
    "SsbErrorFlag", "BaqMode", "BaqBlockLength", "RangeDecimation", "RxGain", "TxRampRate", "TxPulseStartFrequency",
    "Rank", "Pri", "Swst", "Swl", "Polarisation", "TempComp", "ElevationBeamAddress", "AzimuthBeamAddress",
    "SasTestMode", "CalType", "CalibrationBeamAddress", "CalMode", "TxPulseNumber", "SignalType", "SwapFlag",
    "SwathNumber", "NumberOfQuads",
)  # fmt: skip


def quality(piece: Slice, statistics: dict[str, Content]) -> dict[str, Content]:
    """Everything nominal."""
    downlink: dict[str, Content] = {
        "iInputDataMean": 0.0, "qInputDataMean": 0.0, "inputDataMeanOutsideNominalRangeFlag": "false",
        "iInputDataStdDev": 9.0, "qInputDataStdDev": 9.0, "inputDataStDevOutsideNominalRangeFlag": "false",
    }  # fmt: skip
    for count, flag in _GAPS:
        downlink |= {count: 0, flag: "false"}
    downlink |= {
        "chirpSourceUsed": "Nominal", "pgSourceUsed": "Model", "rrfSpectrumUsed": "Extended Tapered",
        "replicaReconstructionFailedFlag": "false", "meanPgProductAmplitude": 1.0, "stdDevPgProductAmplitude": 0.0,
        "meanPgProductPhase": 0.0, "stdDevPgProductPhase": 0.0, "pgProductDerivationFailedFlag": "false",
        "invalidDownlinkParamsFlag": "false",
    }  # fmt: skip
    entry: dict[str, Content] = {
        "azimuthTime": stamp(piece.start),
        "downlinkQuality": downlink,
        "rawDataAnalysisQuality": {
            "iBias": 0.0, "iBiasSignificanceFlag": "false", "qBias": 0.0, "qBiasSignificanceFlag": "false",
            "iqGainImbalance": 1.0, "iqGainSignificanceFlag": "false", "iqQuadratureDeparture": 0.0,
            "iqQuadratureDepartureSignificanceFlag": "false",
        },
        "dopplerCentroidQuality": {"dcMethod": "Data Analysis", "dopplerCentroidUncertainFlag": "false"},
        "imageQuality": {
            "imageStatistics": statistics,
            "outputDataMeanOutsideNominalRangeFlag": "false",
            "outputDataStDevOutsideNominalRangeFlag": "false",
        },
    }  # fmt: skip
    return {"productQualityIndex": 0.0, "qualityDataList": counted("qualityData", [entry])}


def downlink(piece: Slice, swath: str) -> dict[str, Content]:
    """How the echoes of a sub-swath came down."""
    start, stop = stamp(piece.start), stamp(piece.stop)
    prf = PRF_HZ[swath]
    return {
        "swath": swath, "azimuthTime": start, "firstLineSensingTime": start, "lastLineSensingTime": stop, "prf": prf,
        "bitErrorCount": {**{f"numErr{name}": 0 for name in _BIT_ERRORS},
                          "numIspHeaderErrors": 0},
        "downlinkValues": {
            "pri": 1 / prf, "rank": _RANK[swath], "dataTakeId": int(piece.pass_.datatake, 16) % 65_536, "eccNumber": 8,
            "rxChannelId": 0, "instrumentConfigId": 7,
            "dataFormat": {"baqBlockLength": 256, "echoFormat": "FDBAQ", "noiseFormat": "BAQ 5 Bit",
                           "calibrationFormat": "Decimation", "meanBitRate": 1.2},
            "rangeDecimation": {"decimationFilterBandwidth": 5.659e7, "samplingFrequencyAfterDecimation": SAMPLING_HZ,
                                "filterLength": 36},
            "rxGain": -4.0, "txPulseLength": 5.24e-5, "txPulseStartFrequency": -2.825e7, "txPulseRampRate": 1.078e12,
            "swathNumber": 9 + int(swath[-1]),
            "swlList": counted("swl", [{"azimuthTime": start, "value": 3.72e-4}]),
            "swstList": counted("swst", [{"azimuthTime": start, "value": 1.05e-4}]),
            "pointingStatusList": counted("pointingStatus", []),
        },
    }  # fmt: skip


def raw_data(piece: Slice) -> dict[str, Content]:
    """An instrument without bias."""
    bounds: dict[str, Content] = {
        "iBiasUpperBound": 0.01, "iBiasLowerBound": -0.01, "qBiasUpperBound": 0.01, "qBiasLowerBound": -0.01,
        "iqGainUpperBound": 1.001, "iqGainLowerBound": 0.999, "iqQuadratureDepartureUpperBound": 0.9,
        "iqQuadratureDepartureLowerBound": -0.9, "iBiasUsedForCorrection": 0.0, "qBiasUsedForCorrection": 0.0,
        "iqGainImbalanceUsedForCorrection": 1.0, "iqQuadratureDepartureUsedForCorrection": 0.0,
    }  # fmt: skip
    return {
        "azimuthTime": stamp(piece.start), "iBias": 0.0, "qBias": 0.0, "iqQuadratureDeparture": 0.0,
        "iqGainImbalance": 1.0, "support": bounds,
    }  # fmt: skip


def replica(piece: Slice, swath: str) -> dict[str, Content]:
    """A nominal chirp."""
    return {
        "swath": swath,
        "referenceReplica": {
            "azimuthTime": stamp(piece.start), "chirpSource": "Nominal", "pgSource": "Model",
            "amplitudeCoefficients": {"@count": 4, "#": "1.0 0.0 0.0 0.0"},
            "phaseCoefficients": {"@count": 4, "#": "0.0 0.0 5.391152e+11 0.0"},
            "timeDelay": 4.3e-7, "gain": {"re": 1.0, "im": 0.0},
        },
        "replicaList": counted("replica", []),
    }  # fmt: skip


def processing(piece: Slice, swaths: list[str]) -> dict[str, Content]:
    """As IW GRD of high resolution is processed."""
    looks: dict[str, Content] = {"windowType": "Hamming", "windowCoefficient": 0.7}
    across: dict[str, Content] = looks | {
        "totalBandwidth": 5.65e7, "processingBandwidth": 5.65e7, "lookBandwidth": 1.41e7, "numberOfLooks": 5,
        "lookOverlap": 3.5e6,
    }  # fmt: skip
    along: dict[str, Content] = looks | {
        "totalBandwidth": 327.0, "processingBandwidth": 327.0, "lookBandwidth": 327.0, "numberOfLooks": 1,
        "lookOverlap": 0.0,
    }  # fmt: skip
    used: dict[str, Content] = dict.fromkeys(_USED, "true")
    return {
        **used,
        "dcMethod": "Data Analysis", "dcInputData": "Range Compressed", "rangeSpreadingLossCompensationApplied": "true",
        "srgrConversionApplied": "true", "detectionPerformed": "true", "thermalNoiseCorrectionPerformed": "false",
        "rfiMitigationPerformed": "Never", "rfiMitigationDomain": "TimeAndFrequency",
        "chirpSource": "Nominal", "pgSource": "Model", "rrfSpectrum": "Extended Tapered",
        "applicationLutId": "Clearground_Simulated",
        "swathProcParamsList": counted("swathProcParams", [
            {"swath": swath, "rangeProcessing": across, "azimuthProcessing": along, "processorScalingFactor": 1.0}
            for swath in swaths
        ]),
        "inputDimensionsList": counted("inputDimensions", [
            {"azimuthTime": stamp(piece.start), "swath": swath, "numberOfInputSamples": piece.frame.samples,
             "numberOfInputLines": piece.frame.lines}
            for swath in swaths
        ]),
        "referenceRange": 8e5, "ellipsoidName": "WGS84", "ellipsoidSemiMajorAxis": 6_378_137.0,
        "ellipsoidSemiMinorAxis": 6_356_752.314245, "bistaticDelayCorrectionApplied": "true",
        "topsFilterConvention": "Only Echo Lines", "orbitSource": "Auxiliary", "attitudeSource": "Auxiliary",
    }  # fmt: skip
