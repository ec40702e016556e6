"""The ML-DSA suites against their report's figures, and what breaks them.

The key and the two signatures are those of Quantum-Safe Cryptosuites v0.3 (w3c-ccg/di-quantum-safe at
399230b46c50, testVectors); the document signed is the EdDSA vectors' ``employmentAuth.json``.
"""

from __future__ import annotations

from typing import Any

import pytest

from vcid.encoding.contexts import Contexts
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, Malformed
from vcid.keys.signing import LocalSigner, PublicKey
from vcid.securing.data_integrity import SUITES, verify_proof

CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"
KEY = (
    "ukCRKDtY8Do_dXzYGyuX7BY-1dDYM4FuSiw0gFdO-eJXFH0eqlt4_CP4sEISGAzNlKDzLpUJWoInRywXOpd7FCp_QAJAlL7iRo4c"
    "epKhzhlq8xt6qd5jkhYF9tNH8z3RGDl9aunNy_06fWLYNScWd5RmGg46Po8T-"
    "kIjMMkJftaqqZcGDxktpu9Et2bnaZMx4K98YyG1urUpM9lgvldgg2qv-6XCrm2uXlJ9U-HN4xtQKn4Ug-"
    "5xPwbhPGR2pbcBScTFotkhBqLc2eQLL6zPutWF83sSZbOhD_11BjMkeiLyJbMeHCIhz5GDIbPksEFIaSho3MdFo5fpQ8QZoqCit3"
    "Jn4ddfuShfIoLU1Hw5EZ0xBiqOU7e-TINd7-7HsgHLmYMGnpqljm1ot3c3cfalYsg87WQuSscO7XNH3Ewa-"
    "cgU6Bnj1SGn0plTy6Yq-GxU8XUBPwsK_IoIJbXWC0UD97c9UYpNiZi0-ECnbB-"
    "Y5_SM8auMfoIeap_buAOdXlJZmcp8xNCXI59AN9-96Sdhks5L-"
    "JmsELzyjAgjqNx8Zt3KPFc2jSwNjDVC1fEa8FdDdDT3WNkF6KTt65lb5_aIkFh20nOvT7kIJcKTgmhRGNJZgGSPYVbMypaQoaac8"
    "dtEoQjvYgnO-rM_RcsiWMHNc29br3o5wdiLXdr63MoX1lEWu_THBfeP1JuxrSbUmHOByepWbubbSM4iVQITCxBHZT0Mj2bWwIxd3"
    "nZUajzebyEnsfitV01kpzlO7bzY2uxSzyplTkRfppc_7YH0y0PHaggw0cIXNSh73wVqNZmzmJx5W0_akrvy5oSz9ZB1Io2p_fTxz"
    "ibefwO700bUqbElV_yuCjD7EJ_Hfqbog80y_g9TK6koX7wYwqFNQxBVavKC-HbcT7yPdvzs9hlC2MNWCT3W7gVgeYr4AFgbV9EgM"
    "cH0GtJDKYw8vkpB_vTsaSTGZAj3TNKalAwiGO50VAmF5tknF96kOrWmNL0MdkXhnm1vXgDpP68bMt4r2Qr-hNdJ4s3_nqmSDYTnZ"
    "RA4qjXjrgKQfO19txt0tX7LifE1GZ1bQyS7NqHWXyMEhw6_F8pc_tS16VhvJO_FM7CX51mLLkLCGl7DsmbnEIsVUW9qlCxb6bj53"
    "UyijTYdu6uLZW9JISE2B4EevxzwDu9UGcJPHmJYi1rRQAP__jH97GiQC8FvkdAEfKqcwV9jAbBPQPG6lUkBLcoijgR3Bcwd-"
    "ta92oeZmcpoJ97PzzBbCL-NrppJ2HHQ1SMsYWoPveZTmZc66YBA0P9YfT4hZ0RQiP2gxB4snTvMFI0Ot6Q2nQ0p5DMxmWqIaCKW5"
    "3rqn16AVXQeqC2TJjlbjA9sC6pr8GEGY2OQUgEmWu5GmnOSz1lNY7fNHJypChnieI_hyYiy06qouUpoHA5z_IUtfzZoMIG0yJiGU"
    "UpF9BJvYChDECCqaUM1kWnO5tKcohSKq5Hqwu_EWDRYF2tj7igSimZkS4Pts41tu8nIaVk5EkzAX9gCR2EX3Lk869mIxSyBS3MyG"
    "_NotPcbm6uXDn_YkV5Z0HkxUxYRA9hIG-"
    "UhKhK3VOaHZP8GcQN8noOMa2CnPd208X6HOzlIlxs7SRbzppUs_fHN1eROglNy-2oJWGmo-xOy0Qd44TtY0S_bYhu6iH6inrx3-"
    "yncSrWFxEiYosvYJD4ZBSyrV4d6UsfeNSHYS0ODTsdPqz4SYTeloZbIx8XWz7fxLXlNyLr3s9tp-Q25f1vTIrmQL"
)
JCS = (
    "uTSucVLvXmOpmjGGNB-B9rM-u4HzBxN8ZIuZbpTHrjOTNBnahoE4PSdkeD-IzLLXykJn0aYq_APExy-"
    "Ka0BcJNMvKgkdjbbP33WmUwkzljno3szRUDrN9KX2DMH7j0iOBakU4ByjD-hTSO1iR6rlxsZPHJM1H-"
    "WLMhzVSggBILAuglItzstl663Gz5bFjEfbKAgfe50L4v4PjLFSDbJYcg65GtCKRXISkWrnJRuToWwvTVdcnIBOQwPBFKsvApPJMK"
    "rUTkIuZf4-V1uJ81zzct4o20O-DqLQ5bHfOR2n5Y4DSy6e5zg0-"
    "S3ADKtMtuPaQ8cAPUTEKRXGRQnSndnrtgMh2dimvpSaaw0TDy7zY6vrDxJa1tkrS0ulKf3Xz8xsNrNIkx4SaKYWPTjhRvdKqjdrp"
    "bGRt3mRSFFc0VE8vK44F_EVFIhwouL-4Rm4mXU2QkiO0YkwuAJM-QdWUACqzJ7TSf2QrrU8zAwOLbrGS5uZ1qLGD1PcgWfg2d0zT"
    "AYmcWP4LP63fTnFxwr-"
    "L0N_3MLFXixHNEp5osMlo2lhl5noDCmQpqCgluxkd5gXs1NSpOBbWVQyYWcj0WMBtMam8AeqXpA39L7oqvYxqbEpiwvKrmHsXIEZ"
    "rnsHKCk2P0yc10AFCCtsIapvTHwIAjbDhX11HFU5cci4X5vCdG2BUzRsgmGeiYiUClCHmqsBW4z2GA9r0d9jtHZ03nMie_qS95XP"
    "sXuAFqypsP1HOfcIUAHHS9Wn4XGFz3hXoqMsmoUGRg9vEpC2j_nkcYZQphYLs54veWq5BBzoMqPuvYhhRdawdCnn-"
    "LTf7AxQgVGoRTpTy4IkXxr_pC1LUJZJkdKeG-2TuQzyHSkbMPu3YbWsGy2KxdGeFN2yUI8TTQ-MFHl-"
    "_jDCRBrAYyCVOgML4NAtbGqvs7h2tGZYI-m9MfjG0vjp7CUyIPD8BV-"
    "Yhku_bHd0hcrseKtYYyUjxISf2wveo4dfQ2AnCVdDAbBmznjPIDlkqx0316sRc-vXJGRQmfXOW1dNk-"
    "7WNBrJVQbnT9m6cf0UEl3mEgagk1_lLOxTgjzZRpWcOB827VB3hPi7RdI6U6knXuOflHPt9BZN7i6OAl76k69uMFH2KNH3Abm0GD"
    "hOv_nu1lEaOH8aXdOqL3U8Yo0cp5roOoTw5fJP2gxwI3DY0TOWeNOCfLXmnodgoGaKG2Vns4_-"
    "gN_Mg7g0ZinguwJMwKACx07H__ffh8jYQdc87EjCNyH4m8hJICvcC81J7CKb89YTZm7IM0D1_qTR5t-"
    "DkuU4ypxNuFOCxWpN9y2QiLAAobDdc1Y_S3nXFFkLmsn7hUNhcgXxPC3jLifiM0IV7DAqmQpk2ZGE59l0VTKb3F2Ualj9JcqKtLg"
    "_b2KqprUol9WtjFlkbxqJPYyCKnSEitzDnDsfxTRFEIViTx5-1SFb0NjPE_hv5MewCkizNpfo0b-m-"
    "FxvyWJnDYt4Igv8JtgF0K_xMRC9Tf3NaQgFHb1OgkBz04C3wsxoPLqTgMWoxcZ2-2x7TRRvX2Nh1Ye-ZrpmF5hVeRMK0ECj_t5HL"
    "Paq2md18rqnhwsZv84-V0eReDyXVIhkE2eAKedCM9t13UjTfF1qFoUQ3D8xQ6MfR7zFwf6X78Tb0EFs0cBQ1TatzWysbE2b_0k-"
    "YbT78G4Ko8FlmTljBN1b0StKxzOE1Kp1h4nDBY9jZYYPNnVrtAGn2AKN3HWr0bhhF8fW_G4SA_MGu2r6LnobB3MLCSj1lbVZSk5Y"
    "tCtMnkldAsDagoI8lRBlKW1R7PFvXatSHcwbe352nVuvZYxs9QJVSylf2QS1xeUQUMS4AHd4h8Y9HqmnGPr5JX65uch8sr1bWcpG"
    "iNlwnMlFy89pnEZU2v7IiC_foLi8JbxMud1k2XRDwThhepEf5bxqlBcgjF8vAbGEKAJg5Oahl0GCBffuHhuUXmuF6XwOxLovlJUM"
    "8oFCTayQL42NGz_Z2cuFltmiy-cbI8NmEpvlOPnGZBj00ZIrp9tAgwepYvlt5ticFn9ufU-f8xZpBpZb-rf5sVTNqYmoOYvhKVhE"
    "5cCPpCbzZ5GvW5ukB8yLLJC5sc6df9oSoujovfA_VAXqsvmBuKU4cHcNTNEqzsGEg_l0ln5FIHKH3CRUTDemKN2vbtmTz1snn4Vf"
    "dBFAlhJhBItpBmd3HibH-1q2WD313j-cE5nW_QgQeDn_JFJ7zwlORQVRUkeB942HJjkHWXCJMXz9LKxdncKalaVNm-"
    "yVjDkQdgA1tKl9bc_QnAL7HWhtHFc_XhzJvQxqLJ0aLUkkrnphrqscG6D_Kdh7aTTkDjDSA-"
    "dmgRQBh51YVBnfnp5V28AwmGXXglBAWCWChGmAtac6xeLbxW143426J4HMAUIpLgNhjetQoQqKzVTIpzcyo-"
    "GK8L3C0calt57orTswSRqDjxg_6zAQ6RPNoThToRqb2QgHr-gOop6NEJkEy0K8GwPg3nYAFgVVjcCyDtMEbIrHXJ9WKg3oTd14eC"
    "7GNZgQ75aP3HpUAqT5gqWdxer35Ohs3n1FylwreS1kOZ5Z4OVW5PVJkNHhKPfaNq4mQT5vBAWlWphOotPHwTbN7oMiOGYu-AMTns"
    "LPCn0A3VEXx16EROpu0zlVisEZo1sya8nQaJYiI_i3MEWqvV2ypvcMDYt_ArFjxMU3tjV5tNcJgIoE5E5UCGyo2HQMvN03T0GdHZ"
    "r7txswg9HpRJqntiJzm0iAr9BhRPfErg4HLQyc92gOH6UdczP4hvbweP3mcW67yUT3lH31vznZ5lIJ0pth3H_7khwUff5daIROar"
    "2usWxoMWTItY5HC7v5HBjnfqj4EoVi1A4Uw7RvHhaCMkfDrqqntNM0TDDSfDP1uCB1RwZtcuWpNfLWYyP1B9XqwKg3EworHhIq1v"
    "I74gZROvebyYqx8UCFeiLubTfXHJrC2evT99ha6jf7vg8zKgew6Cj3Jz_RSRE5rF5uQQno6PsevbKKtZsQmn0PQphfNzWqacMpre"
    "d2yrmetGOEG_JvYxx5Scmu8w8Yg-3V7yhMeDsOh0DZ8sjTw5d-w3zKUNeU2IZzz5wvaJ7-"
    "8RRxyJqxFsUFaBv7WxUZ0bmWg4pRXdBUKNW53mEUGDigpRF6Fla-6wc4BCDhwfJWdpaixu8Lf4fkRKCs0Y4-lrsTH1-"
    "zwNkKBudbd6v4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwbKDA"
)
RDFC = (
    "u_LfmjHGGR1q1D2_Ue-KKAwdZpSirCp8NGDu6EDN3DzRKUAlz_pl_JNlzd3Pg4dNAUCGc-"
    "avNt1ZQr4y5P_h6C3tP_HTaNIfVIx1O-D9Ooy59PgjHZLWAWiMiVx2hfPiLg88dVAMqpp1gjuiL8XRYiGLDQONRCoRXjTd-"
    "fZ6cg81p-NZ8ISINOjWJfWkf62avqWVp0yTBM2jPaNIkbfHCoUpwdwSj_NhXJMd10qag_hF_Hob_Abjuz-"
    "eAmg76AkSP0R-8l7peBmqfwP7TcSKPGBT_FUGjwbEkse2136YiNdYlk-NALtyz1PRk85tXood34_RTqCiHpa465ey2cJQ7Ve8zYQ"
    "vU00u1SLF49ahIZfFGbiXpbVWHHCmvIGuqIxwq6hkRT_f-5T8SHOWmRUutnk7l5bvK2BqSBB2vd2yJexEe1j_wH-"
    "Nd5TYmqFq5Zg42zxpd7abSPqcNkkTZUPeOsrghrFT-glm0xr2uWAoTGn6FYye-_YM58hV2JE295a2PPg1wJcvN1AEnhwANGL_SlM"
    "6r2r0g5wesPY0cBMNJpXenI4_iY5EjINGZcjlShAGFGqx37hyPElHaYUortI_5s-"
    "PwyWGSJeHJ8IJBNO_M0okoy1yF6DefSbdDghWOnRWUYvzJMiwvM8TkxSABlIJ5oevyiZR5cHVpKgvaNYsIxzkK2bUVPJ_E_GpIHE"
    "pGnlS5Y3yji_SdoG5mufkj3D_PLY71qzs3k8SfN7KRtXp5nwwjw1khyHpqN-sRbV1gu31-"
    "NcWVR35x_a8zzxEcV5i1Q6hzpp9Gi_VgfOxJZIeuOc8G3uDEmjnIlhFfHgnCIwRJ2TQZs90nahcrYyNUdy7PMtmRKBiVIBYC57fA"
    "3kndbzHfzM2Ed12Mv75MnSK1Io55nfk8jTdxKCynrEZRtGhxLlQ9eoA1zO66haknhc95FVJZh5e0tjew4EQprlhdpBR4t0fJChAA"
    "qgrJNQ9ov17Nt5Ly6N8gGzgImzI1qN2mClYHX7ow4yzAeetZW_5WEaLyn57f0Tf1kcz9AS3TJNEOHgfAs7ZXfDNCFLgR5Bb0XWhL"
    "_2IP6rbeChcB9WQEQX36kGjIJfnUx0B2OSGNUF0Vjj3Zkr6IP37MATawid9pbYtytcY5KC9pn71KhzBqA5c6xJ4mdFXDZIbA9qEP"
    "fDsUao4GYPoVeV-0YXVXe7nlUmFp4WTCxoePGZbJcRWtHTegpVgtKvynhmIdHa_CYP_M_KKaeAhiufFCc7JYmyj6rdwz-xipAiAI"
    "HsdgrgtRgEdH_jrhFKEPP7gC9S8tK6NCpEWpzXaRnBkQTAQyt0IMMyyGHAgoHx_3wFQynT-"
    "7IeKb5si_i7penySiP7QQigJ6SB1nC7m0aLDWvcZ-X3A03BMqlYTgE8EWvJHtjmsjJSoOulD_WN_mLhXIIkI8mhX6-"
    "1GggQBg3JkqyRr1i-hdnpjE7iCgQnaS6Gk8O0gU8i_EoQh97275vaf-NwaXun-p3X_0U3cwTzsGGD-EIJu-zUwSThIUa4nKyImm-"
    "yrWh-r8tnQ4_o4gl8Avsw4Y4YQ8v9d3U0nr3E_xw0vKWMLxenn2xYGxo-"
    "wy-7W-9S8-SnjqyUxeDI1IwRzHYWHjP6_NK88jzpVTP90ySiIg_pAPxff7-xU-"
    "xtIgc_41bH1mjIVL_lK0sTS9F6acxGY7J0ijPMglCD72QUUx-J0OdESpxOhx3o4jc2thRhYzLPmZ9mXEMHwMf87Td-pdwBFFI8ff"
    "4eOozn7nZbih27UL-"
    "w2Xv4fHbBkAi0njje7JDkl5DyuyCkR86aVv1yTFemiq3rY8oHhCUIiUq3HyqCA5wD0mx43RDH00bTEQb2hPQ6CEKrgzpSp39fS6h"
    "sZBGCFXkPxsQAGOkRlnTPkIdg-pl1sVz4CNcpDcOBZ9ZNFBSSw7Nc4DUefLTD2n6nCswhQJL2wBbPJt24M5ckBD_0_CH7WwprAJK"
    "HgrJS1NY7X5iDaBl_8GvIW73xKsYBL9ZdUbuvp6ALAuQD9lsrXlzGZ0VbO7ap4484dr_v4zxteh82ksGbZZ3ujCqmIU9lqTtR5ah"
    "X9GGsLfIqczWyZbczYS9xU3ow7rG5muPDuZ9EVScvEkTbnP8Dw2238YKTuZIIALDShMYUqwPjnUpORlLg_MyRodiaVR6PdXbYSAe"
    "RchLXPNiwifsjvHbLnTeFeVGjshluYEpB9FdxJRAJpPMTsa0-"
    "t06q0e4FZXU9fs9lOwz0HpbJEa774XUTrM1XtqyAh2yKHhtTCQ6_PduO9PJE-OkLx12W2nc_ql7IW7BGyylwee-"
    "RaSVKmg26G_0ozVx--pBa-HZpcgNIleI3CY1TwMzZsT49QNMJ0hmsnr5mumiX8eRmmo_GeT6fKY3AxSnc0Y6yrTmT5MP0wSz3jss"
    "XplN6UkzahDPUww_zN2Tc10Kf9ehHrqCGrZho9r5Eq1o6_yXgdNogbiEl_VltIVsujdwoUHNSOzZJ2lKYsB2X0o6G6nSvXjWJr9F"
    "3DBivxsDERQTWOyGB3t_0ogmCGnwelnB9k-"
    "mz90TwbQ_2K2xd7Eoe6rfSJDTDt25u9dSI9TGvDow7fmglua7obkDlXz8JzQCfNhPqAO2Mv9TqqGywbDqwucJDgfFRhf6Rp7LTRU"
    "HQmQeLZCu1wfCCkBHs2SEIyj53AvNP1qtoLon60AQ5jP0sW1XTZHsi6xS0W_6qZq5UXFHNoERFOdkb1Ry1F4ScixWxHvXMn4SkRf"
    "QMga7ejtK2AO2ofJc-oun6IkE_qiNnu35JXJjvANMhgPwmoHme75e_bFvmHQn0JY2Fg1DrrvXWgE1S2uDJwtXJ3pi8SlRUfzEJR6"
    "34Zw4jZWxxSYc96J1PO45jpA67l2PDbIxrqKZhkx17zy1ASfdSnlRLYcbqaTfPqPb1IuXm31cA56IQijOM8YNFbEfe9u5ysx4q-"
    "QyiluT91ZcCMtDOyR8pXUBR8UTSFkMNVrvE7erdosWSZM22SHF7LYlSK4-"
    "L9pybOndjM81gE_2yRtWgNkmEhTP9wGqBa_MfDxSa7iTUBr9joSn6SgCUyfufT1ZRlnIF0FU_qYYWWL9jdbV4k9v6aetHY5sgS-"
    "2fgJRGvy8bKD6M55TfMxQrI3XGCf6RAZGlNnf47T6g0SFx8hJi1EVFljcIuQo7PGBoS7vfUAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAUOHyQ"
)

PUBLISHED = {"mldsa44-jcs-2024": JCS, "mldsa44-rdfc-2024": RDFC}
each_suite = pytest.mark.parametrize("suite", sorted(PUBLISHED))


@pytest.fixture(scope="module")
def known(vectors) -> Contexts:
    (path,) = (vectors / "citizenship-contexts" / "contexts").rglob("citizenship-v4rc1.json*")
    return Contexts.carried().with_context(CITIZENSHIP, parse_object(path.read_bytes()))


@pytest.fixture(scope="module")
def ask(known, resolve, demand) -> dict[str, Any]:
    def resolve_whole_did(url: str, purpose: str):
        """The report names the DID alone where a verification method's URL is due."""
        return resolve(url if "#" in url else f"{url}#{url.removeprefix('did:key:')}", purpose)

    return {"resolve": resolve_whole_did, "demand": demand, "contexts": known}


@pytest.fixture
def signed(vectors):
    """Give the published document of a suite."""

    def read(suite: str) -> dict[str, Any]:
        document = parse_object((vectors / "vc-di-eddsa/TestVectors/employmentAuth.json").read_bytes())
        proof = {
            "type": "DataIntegrityProof",
            "cryptosuite": suite,
            "created": "2023-02-24T23:36:38Z",
            "verificationMethod": f"did:key:{KEY}",
            "proofPurpose": "assertionMethod",
            "proofValue": PUBLISHED[suite],
        }
        return {**document, "proof": proof}

    return read


def refuse(secured, ask) -> str:
    with pytest.raises((InvalidProof, Malformed)) as caught:
        verify_proof(secured, **ask)
    return caught.value.code


@each_suite
def test_the_reports_proof_verifies(suite, signed, ask, tally):
    """The JCS proof states no context, and is hashed with the document's all the same."""
    verified = verify_proof(signed(suite), **ask)
    assert verified.cryptosuite == suite
    assert verified.document == {name: value for name, value in signed(suite).items() if name != "proof"}
    tally(f"Data Integrity: {suite}, 1 signed document")


def change_claim(secured):
    secured["name"] += "!"


def change_created(secured):
    secured["proof"]["created"] = "2023-02-24T23:36:39Z"


def change_purpose(secured):
    secured["proof"]["proofPurpose"] = "authentication"


def flip_signature(secured):
    value = secured["proof"]["proofValue"]
    secured["proof"]["proofValue"] = value[:1000] + ("A" if value[1000] != "A" else "B") + value[1001:]


def cut_signature(secured):
    secured["proof"]["proofValue"] = secured["proof"]["proofValue"][:-4]


def spell_in_base58(secured):
    secured["proof"]["proofValue"] = "z" + "2" * 80


def swap_canonicalization(secured):
    name = secured["proof"]["cryptosuite"]
    (secured["proof"]["cryptosuite"],) = PUBLISHED.keys() - {name}


def name_a_classical_suite(secured):
    secured["proof"]["cryptosuite"] = "eddsa-jcs-2022"


def swap_key(secured):
    other = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, bytes(32)).public_key
    secured["proof"]["verificationMethod"] = f"did:key:{other.multikey}"


def redefine(secured):
    secured["@context"].append({"givenName": "https://attacker.example/#other"})


@each_suite
@pytest.mark.parametrize(
    ("mutate", "codes"),
    [
        (change_claim, {"bad-signature"}),
        (change_created, {"bad-signature"}),
        (change_purpose, {"wrong-purpose"}),
        (flip_signature, {"bad-signature"}),
        (cut_signature, {"proof-value-length"}),
        (spell_in_base58, {"unknown-base"}),
        (swap_canonicalization, {"bad-signature"}),
        (name_a_classical_suite, {"key-type-not-allowed"}),
        (swap_key, {"bad-signature"}),
        (redefine, {"bad-signature", "inline-context"}),
    ],
)
def test_a_change_is_refused(suite, mutate, codes, signed, ask):
    """Each change alone is refused by the step that has to notice."""
    secured = signed(suite)
    mutate(secured)
    assert refuse(secured, ask) in codes


def test_ml_dsa_keys_serve_their_own_suites_alone():
    """No other suite takes an ML-DSA key, and theirs take no other."""
    for suite in SUITES.values():
        assert (KeyType.ML_DSA_44 in suite.key_types) is (suite.name in PUBLISHED)
        if suite.name in PUBLISHED:
            assert suite.key_types == {KeyType.ML_DSA_44}
    assert PublicKey.from_multikey(KEY).multikey == KEY
